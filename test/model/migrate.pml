/* M2: RSYN by one end (paper 4.4). A moves several times, each time to an address at which alone it hears from then on;
   B uses a new address when A has acknowledged from there. Losses, repetitions and any order of packets.

   Safety: the numbers that B accepts never go backwards, and B never uses an address that A has not had. At the end, when
   nothing is under way and nobody waits: B has the address where A is. BROKEN: B takes any RSYN for news. */

#include "network.h"

#ifndef MOVES
#define MOVES 3
#endif

mtype = { RSYN, RSYN_ACK, ACK }

/* Number, and the address of A: where a packet to B comes from, or where one to A goes. */
chan toB = [ROOM] of { mtype, byte, byte };
chan toA = [ROOM] of { mtype, byte, byte };

byte address = 0; /* of A; its RSYN number n says n, so the number is the address too */
bool isSent = false;
byte known = 0; /* the address that B uses */
byte accepted = 0; /* the latest RSYN number that B took */
bool isPending = false;

#define MOVED (address == MOVES)
#define QUIET (MOVED && !isSent && !isPending && len(toA) == 0 && len(toB) == 0)

inline hearA(number, at) {
  if
  /* What goes to an address that it has left does not arrive. */
  :: at != address || number != address -> skip
  :: at == address && number == address -> isSent = false; SEND(toB, ACK(number, address))
  fi
}

proctype A() {
  byte number, at;
end:
  do
  :: atomic { !MOVED -> address++; isSent = true; SEND(toB, RSYN(address, address)) }
  :: atomic { toA?RSYN_ACK(number, at) -> hearA(number, at) }
  :: atomic { toA??RSYN_ACK(eval(address), at) -> number = address; hearA(number, at) }
  :: atomic { timeout && isSent -> SEND(toB, RSYN(address, address)) }
  od
}

inline hearB(number, from) {
  before = accepted;
#ifdef BROKEN
  accepted = number; isPending = true; before = 0; SEND(toA, RSYN_ACK(number, from));
#else
  if
  :: number > accepted -> accepted = number; isPending = true; SEND(toA, RSYN_ACK(number, from))
  /* It comes again: A has not heard us. */
  :: number == accepted -> SEND(toA, RSYN_ACK(number, from))
  :: number < accepted -> skip
  fi;
#endif
  assert(accepted >= before);
  assert(known <= address)
}

proctype B() {
  byte number, from;
  byte before;
end:
  do
  :: atomic { toB?RSYN(number, from) -> hearB(number, from) }
  :: atomic { toB??RSYN(eval(1), from) -> number = 1; hearB(number, from) }
  :: atomic { toB??RSYN(eval(2), from) -> number = 2; hearB(number, from) }
  :: atomic { toB??RSYN(eval(3), from) -> number = 3; hearB(number, from) }
  :: atomic { toB??ACK(eval(accepted), from) ->
      if
      :: isPending && from == accepted -> known = from; isPending = false
      :: else -> skip
      fi }
  :: atomic { toB?ACK(number, from) -> skip }
  :: atomic { timeout && isPending -> SEND(toA, RSYN_ACK(accepted, accepted)) }
  od
}

/* Where it cannot go on, something has come to a halt before its time: an invalid end state. */
active proctype Judge() {
  QUIET -> assert(known == address)
}

init {
  atomic { run A(); run B() }
}
