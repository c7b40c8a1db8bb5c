/** Strokes on a grid of 20 by 20. */
const shapes = {
  backups: 'M3 5.500h14M3 10h14M3 14.500h14M5.500 5.500v0M5.500 10v0',
  restore: 'M4 4v4h4M4.400 8A6.500 6.500 0 1 1 3.500 11M10 6.500V10l2.500 1.500',
  drill: 'M10 2.800 16 5v4.600c0 3.700-2.600 6.300-6 7.600-3.400-1.300-6-3.900-6-7.600V5ZM7.300 9.800l2 2 3.600-3.800',
  service: 'M4 5.500C4 4 16 4 16 5.500S4 7 4 5.500ZM4 5.500v9c0 1.500 12 1.500 12 0v-9M4 10c0 1.500 12 1.500 12 0',
  location: 'M3.500 6.500 5 15.500h10l1.500-9ZM3 6.500h14M8 6.500l.5-2.500h3l.5 2.500',
  agent: 'M3.500 4.500h13v8h-13ZM7 16h6M10 12.500V16M7 8.500h2M11 8.500h2',
  person: 'M10 10a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM4.500 16.500c.6-3 2.700-4.500 5.500-4.500s4.900 1.500 5.500 4.500',
  check: 'M4.500 10.500 8.300 14l7.200-8',
  cross: 'M5.500 5.500l9 9M14.500 5.500l-9 9',
  plus: 'M10 4.500v11M4.500 10h11',
  more: 'M10 4.500v.01M10 10v.01M10 15.500v.01',
  search: 'M9 14.500a5.500 5.500 0 1 0 0-11 5.500 5.500 0 0 0 0 11ZM13 13l4 4',
  down: 'M5.500 8l4.500 4.500L14.500 8',
  up: 'M5.500 12 10 7.500l4.500 4.500',
  back: 'M12 5l-5 5 5 5',
  forward: 'M8 5l5 5-5 5',
  pin: 'M7 3.500h6M8 3.500v5L5.500 11.500h9L12 8.500v-5M10 11.500v5.500',
  copy: 'M7.500 7.500h8v9h-8ZM12.500 7.500v-4h-8v9h3',
  download: 'M10 3.500v9M6.500 9l3.500 3.500L13.500 9M4 16.500h12',
  warning: 'M10 3.500 17.500 16h-15ZM10 8.500v3.500M10 14v.01',
  lock: 'M5 9h10v7.500H5ZM7 9V6.500a3 3 0 0 1 6 0V9',
  clock: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM10 6v4l2.700 1.700',
} as const;

export type IconName = keyof typeof shapes;

/** Only ever beside a word, or in something that has a label. */
export function Icon({ name, size = 18 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg
      viewBox="0 0 20 20"
      width={size}
      height={size}
      fill="none"
      stroke="currentColor"
      strokeWidth={name === 'more' ? 2.4 : 1.6}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
      style={{ flex: 'none' }}
    >
      <path d={shapes[name]} />
    </svg>
  );
}
