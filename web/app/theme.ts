import {
  Button,
  Combobox,
  createTheme,
  type MantineColorsTuple,
  Menu,
  Modal,
  Paper,
  Popover,
  Table,
  Tooltip,
} from '@mantine/core';

/** Kelp green-blue; shade 8 has enough contrast below white words, shade 3 on dark ground. */
const kelp: MantineColorsTuple = [
  '#e8f6f6',
  '#d3eaeb',
  '#a8d5d7',
  '#7abfc2',
  '#54acb0',
  '#3ca0a4',
  '#2d9a9f',
  '#1c8489',
  '#0b6b72',
  '#00565c',
];

/** What floats stands in the page's main part, so that who goes from landmark to landmark does not miss it. */
const inMain = { target: '#content' };

export const theme = createTheme({
  primaryColor: 'kelp',
  primaryShade: 8,
  colors: { kelp },
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", "DejaVu Sans", sans-serif',
  fontFamilyMonospace:
    'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace',
  defaultRadius: 'sm',
  cursorType: 'pointer',
  headings: {
    fontWeight: '600',
    sizes: { h1: { fontSize: '1.375rem' }, h2: { fontSize: '1rem' }, h3: { fontSize: '0.875rem' } },
  },
  components: {
    Button: Button.extend({ defaultProps: { size: 'sm', fw: 500 } }),
    Combobox: Combobox.extend({ defaultProps: { portalProps: inMain } }),
    Menu: Menu.extend({ defaultProps: { portalProps: inMain, withInitialFocusPlaceholder: false } }),
    Modal: Modal.extend({
      defaultProps: {
        centered: true,
        closeButtonProps: { 'aria-label': 'Close' },
        // A page has one banner; the head of a dialog is none.
        attributes: { header: { role: 'presentation' } },
      },
    }),
    Paper: Paper.extend({ defaultProps: { withBorder: true, p: 'md' } }),
    Popover: Popover.extend({ defaultProps: { portalProps: inMain } }),
    Table: Table.extend({ defaultProps: { verticalSpacing: 6, horizontalSpacing: 8, fz: 13 } }),
    Tooltip: Tooltip.extend({
      defaultProps: { events: { hover: true, focus: true, touch: true }, openDelay: 300, portalProps: inMain },
    }),
  },
});
