// A directory that says what a test wants it to say, when it wants.

import type { Resolution, Resolver, ResolverQuestion } from '../../lib/resolver/resolver';
import type { ServiceID, ServicePrefix } from '../../lib/wire/service-id';

export class ScriptedResolver implements Resolver {
  readonly questions: Question[] = [];
  changed: ((prefix: ServicePrefix) => void) | undefined;
  private waiting: ((question: Question) => void) | undefined;

  resolve({ serviceID }: ResolverQuestion, signal: AbortSignal): Promise<Resolution> {
    return new Promise((answer, fail) => {
      const question = { serviceID, signal, answer, fail };
      this.questions.push(question);
      this.waiting?.(question);
      this.waiting = undefined;
    });
  }

  onChange(changed: (prefix: ServicePrefix) => void): () => void {
    this.changed = changed;
    return () => {
      this.changed = undefined;
    };
  }

  /** The next question that is asked. */
  next(): Promise<Question> {
    return new Promise((resolve) => {
      this.waiting = resolve;
    });
  }
}

export interface Question {
  readonly serviceID: ServiceID;
  readonly signal: AbortSignal;
  answer(resolution: Resolution): void;
  fail(error: Error): void;
}
