// The newest session of each identity that has none any more, for a while: a hello that was on its way when a newer
// session said goodbye must not bring back what that has withdrawn.

import { elapsed, type Instant } from '../../time/instant';
import { ENDED_SESSIONS_LIFETIME, ENDED_SESSIONS_MAXIMUM } from './session-limits';

export class EndedSessions {
  /** In the order in which they ended. */
  private readonly newest = new Map<string, { readonly number: number; readonly endedAt: Instant }>();

  add(identity: string, number: number, now: Instant): void {
    const known = this.newest.get(identity)?.number ?? 0;
    this.newest.delete(identity);
    this.newest.set(identity, { number: Math.max(number, known), endedAt: now });
    for (const [oldest, { endedAt }] of this.newest) {
      if (this.newest.size <= ENDED_SESSIONS_MAXIMUM && elapsed(endedAt, now) < ENDED_SESSIONS_LIFETIME) return;
      this.newest.delete(oldest);
    }
  }

  numberOf(identity: string, now: Instant): number | undefined {
    const known = this.newest.get(identity);
    return known === undefined || elapsed(known.endedAt, now) >= ENDED_SESSIONS_LIFETIME ? undefined : known.number;
  }
}
