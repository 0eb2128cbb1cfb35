/* M3: RSYN by both ends at once, with the service router that brings them together (paper 4.4). Each end moves once or
   several times, to an address at which alone it hears from then on; in between, or at last, what is not answered is said again:
   to where the peer was, to where it says to be, and to the router. The router passes a RSYN on to where the other end's
   came from last, and may forget that. Losses, repetitions and any order of packets.

   Safety: the numbers that an end accepts never go backwards, and none uses an address that the other has not had. At the
   end, when nothing is under way and nobody waits: each has the address where the other is. And they get there: once no
   more is lost, within so many rounds of repetition. BROKEN: an end takes the router, from which a RSYN comes, for its
   peer. ALONE: there is no router. */

#ifndef ROOM
#define ROOM 3
#endif
#ifndef LOSSES
#define LOSSES 1
#endif
#ifndef REPEATS
#define REPEATS 1
#endif
#include "network.h"

#ifndef MOVES
#define MOVES 1
#endif
/* Rounds of repetition that need no silence. */
#ifndef EAGER
#define EAGER 1
#endif
/* How often the router forgets. */
#define FORGETS 1
/* One round to be known to the router, one to be passed on, and one for each thing that went wrong. */
#define ROUNDS (2 + LOSSES + FORGETS)

#define ROUTER 99

mtype = { RSYN, RSYN_ACK, ACK }

/* Number, the address that it goes to, and that it comes from. The RSYN with which an end says that it is at its n-th
   address has number n; one that the router passes on comes from the address that it says, too. */
chan to[2] = [ROOM] of { mtype, byte, byte, byte };
/* Which end, and its number. */
chan toRouter = [ROOM] of { byte, byte };

byte address[2];
byte known[2]; /* the address of the peer that the end uses */
byte accepted[2]; /* the latest number of the peer's RSYNs that it took */
bool isSent[2]; /* its own RSYN is not answered */
bool isPending[2]; /* its answer to the peer's is not acknowledged */
byte noted[2]; /* what the router remembers; 0: nothing */
byte forgotten = 0;
byte eager = 0;
byte rounds = 0;

#define MOVED (address[0] == MOVES && address[1] == MOVES)
#define WAITING (isSent[0] || isSent[1] || isPending[0] || isPending[1])
#define QUIET (MOVED && !WAITING && len(to[0]) == 0 && len(to[1]) == 0 && len(toRouter) == 0)

/* What goes to an address that its end has left arrives nowhere. */
#define TELL(end, at, message) \
  if \
  :: at == address[end] -> SEND(to[end], message) \
  :: else -> skip \
  fi

inline sayRsyn(e) {
  TELL(1 - e, known[e], RSYN(address[e], known[e], address[e]));
  if
  :: isPending[e] && accepted[e] != known[e] -> TELL(1 - e, accepted[e], RSYN(address[e], accepted[e], address[e]))
  :: else -> skip
  fi
}

inline hear(e) {
  if
  :: at != address[e] -> skip
  :: at == address[e] && kind == RSYN -> hearRsyn(e)
  :: at == address[e] && kind == RSYN_ACK -> hearRsynAck(e)
  :: at == address[e] && kind == ACK -> hearAck(e)
  fi;
  assert(known[e] <= address[1 - e]);
  kind = 0; number = 0; at = 0; from = 0
}

inline hearRsyn(e) {
  if
  :: number < accepted[e] -> skip
  :: number >= accepted[e] ->
      if
      :: number > accepted[e] ->
          accepted[e] = number; isPending[e] = true;
          /* It moves at the same time as we do. */
          if
          :: isSent[e] -> TELL(1 - e, number, RSYN(address[e], number, address[e]))
          :: else -> skip
          fi
      :: else -> skip
      fi;
      TELL(1 - e, number, RSYN_ACK(number, number, address[e]))
#ifdef BROKEN
      ;
      if
      :: from == ROUTER -> known[e] = ROUTER
      :: else -> skip
      fi
#endif
  fi
}

inline hearRsynAck(e) {
  if
  :: number != address[e] -> skip
  :: number == address[e] ->
      if
      :: isSent[e] ->
          isSent[e] = false;
          /* The peer may have moved, and shown it, since it wrote this. */
          if
          :: from > known[e] -> known[e] = from
          :: else -> skip
          fi
      :: else -> skip
      fi;
      TELL(1 - e, from, ACK(number, from, address[e]))
  fi
}

inline hearAck(e) {
  if
  :: isPending[e] && number == accepted[e] ->
      isPending[e] = false; known[e] = number;
      if
      :: isSent[e] -> TELL(1 - e, number, RSYN(address[e], number, address[e]))
      :: else -> skip
      fi
  :: else -> skip
  fi
}

proctype End(byte e) {
  mtype kind;
  byte number, at, from;
end:
  do
  :: atomic { address[e] < MOVES -> address[e]++; isSent[e] = true; sayRsyn(e) }
  :: atomic { to[e]?kind(number, at, from) -> hear(e) }
  :: atomic { to[e]??RSYN(eval(accepted[e] + 1), at, from) -> kind = RSYN; number = accepted[e] + 1; hear(e) }
  :: atomic { to[e]??RSYN(eval(MOVES), at, from) -> kind = RSYN; number = MOVES; hear(e) }
  :: atomic { to[e]??RSYN_ACK(eval(address[e]), at, from) -> kind = RSYN_ACK; number = address[e]; hear(e) }
  :: atomic { to[e]??ACK(eval(accepted[e]), at, from) -> kind = ACK; number = accepted[e]; hear(e) }
  od
}

inline pass(e) {
  if
  :: number < noted[e] -> skip
  :: number >= noted[e] ->
      noted[e] = number;
      if
      :: noted[1 - e] > 0 -> TELL(1 - e, noted[1 - e], RSYN(number, noted[1 - e], ROUTER))
      :: else -> skip
      fi
  fi;
  e = 0; number = 0
}

proctype Router() {
  byte e, number;
end:
  do
  :: atomic { toRouter?e(number) -> pass(e) }
  :: atomic { toRouter??1(number) -> e = 1; pass(e) }
  :: atomic { forgotten < FORGETS && noted[0] > 0 -> forgotten++; noted[0] = 0 }
  :: atomic { forgotten < FORGETS && noted[1] > 0 -> forgotten++; noted[1] = 0 }
  od
}

inline repeat(e) {
  if
  :: isSent[e] ->
      sayRsyn(e);
#ifndef ALONE
      SEND(toRouter, e(address[e]))
#endif
  :: else -> skip
  fi;
  if
  :: isPending[e] -> TELL(1 - e, accepted[e], RSYN_ACK(accepted[e], accepted[e], address[e]))
  :: else -> skip
  fi
}

/* Both ends say again what is not answered. */
proctype Clock() {
end:
  do
  :: atomic { eager < EAGER && WAITING -> eager++; repeat(0); repeat(1) }
  :: atomic { timeout && WAITING -> rounds++; assert(rounds <= ROUNDS); repeat(0); repeat(1) }
  od
}

active proctype Judge() {
  QUIET -> assert(known[0] == address[1] && known[1] == address[0])
}

init {
  atomic { run End(0); run End(1); run Router(); run Clock() }
}
