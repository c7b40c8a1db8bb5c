import { readFile, writeFile } from 'node:fs/promises';
import { openApiDocument } from '../src/server/open-api.ts';

/** `node scripts/openapi.ts` writes docs/openapi.json from the table of routes. */

const path = 'docs/openapi.json';

/** Complaints about a document that is not that of the routes. */
export async function openApiComplaints(): Promise<string[]> {
  const kept = await readFile(path, 'utf8').catch(() => '');
  return kept === (await madeText()) ? [] : [`${path} is not that of the routes: run node scripts/openapi.ts`];
}

async function madeText(): Promise<string> {
  const { version }: { version: string } = JSON.parse(await readFile('package.json', 'utf8'));
  return `${JSON.stringify(openApiDocument(version), null, 1)}\n`;
}

if (import.meta.main) await writeFile(path, await madeText());
