import { installSystemPackages, succeeds } from './run.ts';

const INTERPRETER = '/usr/bin/python3';

/** A Python that can decrypt and decompress, for the independent reader; returns the interpreter's path. */
export async function ensurePython(): Promise<string> {
  const check = ['-c', 'import cryptography, zstandard'];
  if (!(await succeeds(INTERPRETER, check))) {
    await installSystemPackages(['python3', 'python3-cryptography', 'python3-zstandard']);
  }
  return INTERPRETER;
}
