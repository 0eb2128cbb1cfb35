// Documents point at files that are there.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';

it('relative links of the documents lead somewhere', () => {
  const broken: string[] = [];
  const documents = [...readdirSync('.'), ...readdirSync('docs', { recursive: true, encoding: 'utf8' }).map(inDocs)];
  for (const document of documents.filter((path) => path.endsWith('.md'))) {
    for (const [, target] of readFileSync(document, 'utf8').matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)) {
      if (!existsSync(join(dirname(document), target!))) broken.push(`${document}: ${target}`);
    }
  }
  expect(broken).toEqual([]);
});

function inDocs(path: string): string {
  return join('docs', path);
}
