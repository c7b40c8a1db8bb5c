import { MemoryStorage } from '../../src/storage/memory.ts';
import { describeStorage } from './storage.ts';

describeStorage('MemoryStorage', async () => ({
  storage: new MemoryStorage(),
  [Symbol.asyncDispose]: async () => {},
}));
