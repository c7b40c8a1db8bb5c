import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { run } from '../setup/run.ts';

/** Complaints about a lock file that names download addresses: it would bind every user to one registry's mirror. */
export async function lockfileComplaints(): Promise<string[]> {
  const lines = (await readFile('package-lock.json', 'utf8')).split('\n');
  return lines.flatMap((line, index) =>
    line.includes('"resolved"') ? [`package-lock.json:${index + 1}: names a download address`] : [],
  );
}

/** Complaints about tracked text that is true on this machine only, or that names a registry's host. */
export async function machineComplaints(): Promise<string[]> {
  const local = [process.cwd(), `${homedir()}/.`];
  const hosts = /registry\.npmjs|pypi\.org|proxy\.golang\.org|deb\.debian\.org|archive\.ubuntu\.com/;
  const files = (await run('git', ['ls-files', '-z'])).split('\0').filter((file) => file !== '' && existsSync(file));
  const complaints: string[] = [];
  for (const file of files) {
    const lines = (await readFile(file, 'latin1')).split('\n');
    lines.forEach((line, index) => {
      if (hosts.test(line) || local.some((path) => line.includes(path))) {
        complaints.push(`${file}:${index + 1}: names a path of this machine or a registry's host`);
      }
    });
  }
  return complaints;
}
