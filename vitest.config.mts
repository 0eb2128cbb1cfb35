import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Tests that start processes, measure time or load the machine: one file after the other, after all others. */
const machine = ['package', 'lab', 'soak'].map((folder) => `test/${folder}/**/*.test.ts`);
machine.push('test/*/*-process.test.ts', 'test/*/*-processes.test.ts');
/** Of those, what mostly waits, for two minutes one of them: beside the others, and the first to begin. */
const patient = ['http-files', 'figure10', 'uplinks'].map((name) => `test/lab/${name}.test.ts`);

class PatientFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isPatient = ({ project }: TestSpecification): boolean => project.name === 'patient';
    const sorted = await super.sort(files);
    return [...sorted.filter(isPatient), ...sorted.filter((file) => !isPatient(file))];
  }
}

const early = { maxWorkers: availableParallelism() + patient.length, sequence: { groupOrder: 0 } };

// One process for each test file: a native crash must not take other files with it.
export default defineConfig({
  test: {
    pool: 'forks',
    testTimeout: 20_000,
    sequence: { sequencer: PatientFirst },
    projects: [
      { extends: true, test: { name: 'patient', include: patient, ...early } },
      { extends: true, test: { name: 'parts', include: ['test/**/*.test.ts'], exclude: machine, ...early } },
      {
        extends: true,
        test: {
          name: 'machine',
          include: machine,
          exclude: patient,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
