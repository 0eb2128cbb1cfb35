/* M5: FIN and RSYN of one end at the same time (paper 4.4; the original's source has a "TODO verify" there). A moves and
   closes in either order; both use up numbers, B takes only numbers that are new, and gaps are allowed. So a FIN must not
   have a lower number than a RSYN that overtakes it: while both are outstanding they travel as one packet, numbered anew.

   Safety: B acknowledges a FIN only when it has seen it. At the end B has seen it, and has A's address.
   BROKEN: each is repeated by itself, with the number that it had. */

#include "network.h"

mtype = { TO_B, RSYN_ACK, ACK, CONFIRM }

/* To B: whether RSYN, whether FIN, number, address. To A: kind, acknowledgment. */
chan toB = [ROOM] of { mtype, bool, bool, byte, byte };
chan toA = [ROOM] of { mtype, byte };

byte next = 1; /* A's next number */
byte latest = 0; /* the number of A's outstanding packet, where it is one */
byte rsynNumber, finNumber;
bool hasMoved = false, isSent = false;
bool hasClosed = false, isFinOut = false;
byte address = 0;

byte expected = 1; /* B's idea of A's next number */
byte peerNumber = 0;
bool isPending = false;
byte candidate;
byte known = 0;
bool isFinSeen = false;

#define QUIET (hasMoved && hasClosed && !isSent && !isFinOut && !isPending && len(toA) == 0 && len(toB) == 0)

inline transmit() {
#ifdef BROKEN
  if
  :: isSent -> SEND(toB, TO_B(true, false, rsynNumber, address))
  :: !isSent -> skip
  fi;
  if
  :: isFinOut -> SEND(toB, TO_B(false, true, finNumber, address))
  :: !isFinOut -> skip
  fi
#else
  if
  :: isSent && latest + 1 != next -> latest = next; next++
  :: isSent && latest + 1 == next -> skip
  :: !isSent && isFinOut -> latest = finNumber
  :: !isSent && !isFinOut -> skip
  fi;
  if
  :: isSent || isFinOut -> SEND(toB, TO_B(isSent, isFinOut, latest, address))
  :: !isSent && !isFinOut -> skip
  fi
#endif
}

/* An acknowledgment of B's, of what is outstanding or of nothing. */
inline acknowledge(ack) {
  if
  :: isFinOut && ack > finNumber -> isFinOut = false; assert(isFinSeen)
  :: !isFinOut || ack <= finNumber -> skip
  fi
}

proctype A() {
  byte ack;
end:
  do
  :: atomic { !hasMoved ->
      hasMoved = true; isSent = true; address = 1; rsynNumber = next; latest = next; next++; transmit() }
  :: atomic { !hasClosed -> hasClosed = true; isFinOut = true; finNumber = next; next++; transmit() }
  :: atomic { toA??RSYN_ACK(ack) ->
      acknowledge(ack);
      if
      :: hasMoved && ack > rsynNumber -> isSent = false; SEND(toB, CONFIRM(false, false, next, address))
      :: !hasMoved || ack <= rsynNumber -> skip
      fi }
  :: atomic { toA??ACK(ack) -> acknowledge(ack) }
  :: atomic { timeout && (isSent || isFinOut) -> transmit() }
  od
}

inline hear() {
  if
  :: number >= expected ->
    expected = number + 1;
    isFinSeen = isFinSeen || hasFin;
    if
    :: hasRsyn -> peerNumber = number; isPending = true; candidate = from; SEND(toA, RSYN_ACK(expected))
    :: !hasRsyn -> SEND(toA, ACK(expected))
    fi
  :: number < expected && hasRsyn && number == peerNumber -> SEND(toA, RSYN_ACK(expected))
  :: number < expected && hasRsyn && number != peerNumber -> skip
  /* A repeated FIN is acknowledged again. */
  :: number < expected && !hasRsyn -> SEND(toA, ACK(expected))
  fi
}

proctype B() {
  byte number, from;
  bool hasRsyn, hasFin;
end:
  do
  :: atomic { toB?TO_B(hasRsyn, hasFin, number, from) -> hear() }
  :: atomic { toB??TO_B(eval(false), hasFin, number, from) -> hasRsyn = false; hear() }
  :: atomic { toB??TO_B(eval(true), hasFin, number, from) -> hasRsyn = true; hear() }
  :: atomic { toB??CONFIRM(_, _, number, from) ->
      if
      :: isPending && number > peerNumber && from == candidate -> isPending = false; known = candidate
      :: else -> skip
      fi }
  :: atomic { timeout && isPending -> SEND(toA, RSYN_ACK(expected)) }
  od
}

/* Where it cannot go on, something has come to a halt before its time: an invalid end state. */
active proctype Judge() {
  QUIET -> assert(isFinSeen && known == address)
}

init {
  atomic { run A(); run B() }
}
