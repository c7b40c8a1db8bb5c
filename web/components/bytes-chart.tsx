import { formatBytes, formatDuration } from '../../src/api/figures.ts';
import type { Sample } from '../lib/progress.ts';
import classes from './bytes-chart.module.css';

const width = 600;
const height = 120;

/** Bytes over time, as a line that climbs towards what is expected. */
export function BytesChart({
  samples,
  expected,
}: {
  readonly samples: readonly Sample[];
  readonly expected?: number | undefined;
}) {
  const [first] = samples;
  const last = samples.at(-1);
  if (first === undefined || last === undefined || last.at === first.at) {
    return <p className={classes['none']}>The picture of bytes over time begins with the next seconds.</p>;
  }
  const top = Math.max(expected ?? 0, last.bytes, 1);
  const points = samples.map(({ at, bytes }) => {
    const x = (width * (at - first.at)) / (last.at - first.at);
    return `${x.toFixed(1)},${(height - (height * bytes) / top).toFixed(1)}`;
  });
  const told = `${formatBytes(last.bytes)} after ${formatDuration(last.at - first.at)} of watching`;
  return (
    <figure className={classes['figure']}>
      <svg
        viewBox={`0 -2 ${width} ${height + 4}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={told}
        className={classes['chart']}
      >
        {[0, 0.5, 1].map((part) => (
          <line key={part} x1="0" x2={width} y1={height * part} y2={height * part} className={classes['grid']} />
        ))}
        <polygon points={`0,${height} ${points.join(' ')} ${width},${height}`} className={classes['area']} />
        <polyline points={points.join(' ')} className={classes['line']} />
      </svg>
      <span className={classes['top']}>{formatBytes(top)}</span>
      <figcaption className={classes['caption']}>
        <span>{formatDuration(last.at - first.at)} ago</span>
        <span>now: {formatBytes(last.bytes)}</span>
      </figcaption>
    </figure>
  );
}
