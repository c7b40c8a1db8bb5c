import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BLOCK_BYTES, type Extent, FANOUT, type Reference } from './extent.ts';
import { FileTree, type PendingNode, type TreeRoot } from './file-tree.ts';

/** A reference that says in its offset which block or node it is. */
function reference(level: number, index: number): Reference {
  const place = { segment: `level ${level}`, offset: index, length: 1 };
  return { id: Buffer.alloc(32), frame: { place }, plainOffset: 0 };
}

interface Built {
  readonly root: TreeRoot;
  /** By `<level> <index>`. */
  readonly nodes: Map<string, { readonly extent: Extent; readonly blockBytes: number }>;
}

/** @param delay decides after how many more blocks a node gets its place. */
function build(blocks: number, options: { lastBytes?: number; delay?: () => number } = {}): Built {
  const { lastBytes = BLOCK_BYTES, delay = () => 0 } = options;
  const nodes: Built['nodes'] = new Map();
  const roots: TreeRoot[] = [];
  const waiting: { node: PendingNode; left: number }[] = [];
  const tree = new FileTree({
    path: 'x',
    emit: (node) => waiting.push({ node, left: delay() }),
    onRoot: (root) => roots.push(root),
  });
  const place = (): void => {
    // In the order in which they came, as a queue of nodes does.
    while (waiting[0] && waiting[0].left <= 0) {
      for (const { node } of waiting.splice(0, 1)) {
        nodes.set(`${node.extent.level} ${node.index}`, { extent: node.extent, blockBytes: node.blockBytes });
        node.onPlaced(reference(node.extent.level, node.index));
      }
    }
  };
  for (let block = 0; block < blocks; block += 1) {
    tree.add(reference(0, block));
    for (const each of waiting) each.left -= 1;
    place();
  }
  tree.end(Math.max(0, (blocks - 1) * BLOCK_BYTES + lastBytes));
  while (waiting.length > 0) {
    for (const each of waiting) each.left = 0;
    place();
  }
  expect(roots).toHaveLength(1);
  return { root: roots[0] ?? { height: -1, root: undefined }, nodes };
}

/** Block numbers that a tree lists, from its root down. */
function* listed({ root, nodes }: Built, at: { level: number; index: number }): Generator<number> {
  if (at.level === 0) {
    yield at.index;
    return;
  }
  const extent = nodes.get(`${at.level} ${at.index}`)?.extent;
  if (!extent || extent.level > root.height) throw new Error(`no node ${at.level} ${at.index}`);
  for (let child = 0; child < extent.count; child += 1) {
    yield* listed({ root, nodes }, { level: at.level - 1, index: extent.child(child)?.frame.place?.offset ?? -1 });
  }
}

function expectComplete(blocks: number, built: Built): void {
  const { root } = built;
  let height = 0;
  while (FANOUT ** height < blocks) height += 1;
  expect(root.height).toBe(height);
  if (blocks === 0) {
    expect(root.root).toBeUndefined();
    return;
  }
  let next = 0;
  for (const block of listed(built, { level: height, index: root.root?.frame.place?.offset ?? -1 })) {
    if (block !== next) throw new Error(`block ${block} at ${next}`);
    next += 1;
  }
  expect(next).toBe(blocks);
}

test.each([0, 1, 2, FANOUT - 1, FANOUT, FANOUT + 1, 2 * FANOUT, FANOUT ** 2 - 1, FANOUT ** 2, FANOUT ** 2 + 1])(
  'a tree over %i blocks lists them all',
  (blocks) => {
    expectComplete(blocks, build(blocks));
  },
);

test('however late nodes get their places', () => {
  fc.assert(
    fc.property(fc.nat({ max: 3000 }), fc.array(fc.nat({ max: 800 }), { minLength: 1 }), (blocks, delays) => {
      let at = 0;
      const delay = (): number => delays[at++ % delays.length] ?? 0;
      expectComplete(blocks, build(blocks, { delay }));
    }),
    { numRuns: 60 },
  );
});

test('the bytes below leaves add up to the size', () => {
  const { nodes } = build(FANOUT + 3, { lastBytes: 100 });
  const sum = [...nodes.values()].reduce((total, { blockBytes }) => total + blockBytes, 0);
  expect(sum).toBe((FANOUT + 2) * BLOCK_BYTES + 100);
});
