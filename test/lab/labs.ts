// What most tests of this folder begin and end with: actors, and the labs they are in.

import { afterEach } from 'vitest';
import { Company } from './actor';
import { Lab } from './lab';

/** Actors end before their namespaces do, behind each test, or when `after` says. */
export function companyInLabs(after: (end: () => Promise<void>) => void = afterEach): {
  readonly company: Company;
  readonly newLab: () => Lab;
} {
  const company = new Company();
  const labs: Lab[] = [];
  after(async () => {
    try {
      await company.end();
    } finally {
      for (const lab of labs.splice(0)) lab.close();
    }
  });
  const newLab = (): Lab => {
    const lab = new Lab();
    labs.push(lab);
    return lab;
  };
  return { company, newLab };
}
