/* M1: connect with late binding (paper 4.2, 4.4). A client's SYN reaches two instances of a service, perhaps twice each;
   the first SYN-ACK binds the connection, the other instance is told RST. A repeated SYN that comes when its request is
   forgotten makes a new one, with another flowID.

   Safety: one connect is accepted once at most, by the instance that the client is bound to. BROKEN: the client acknowledges every SYN-ACK. */

#include "network.h"

#define FLOWS 2 /* flowIDs that one instance gives to this client at most */

mtype = { SYN, SYN_ACK, ACK, RST }

chan toServer[2] = [ROOM] of { mtype, byte /* flowID */ };
chan toClient = [ROOM] of { mtype, byte /* instance */, byte /* flowID */ };

bool isBound = false;
byte boundTo, boundFlow;
byte acceptances = 0;
byte tries = 0;

inline answer(instance, flow) {
  if
  :: !isBound -> isBound = true; boundTo = instance; boundFlow = flow; SEND(toServer[instance], ACK(flow))
  :: isBound && boundTo == instance && boundFlow == flow -> SEND(toServer[instance], ACK(flow))
  :: isBound && (boundTo != instance || boundFlow != flow) ->
#ifdef BROKEN
    SEND(toServer[instance], ACK(flow))
#else
    SEND(toServer[instance], RST(flow))
#endif
  fi
}

proctype Client() {
  byte flow;
  SEND(toServer[0], SYN(0));
  SEND(toServer[1], SYN(0));
end:
  do
  :: atomic { toClient??SYN_ACK(eval(0), flow) -> answer(0, flow) }
  :: atomic { toClient??SYN_ACK(eval(1), flow) -> answer(1, flow) }
  /* Nobody has answered, or the third ACK may have been lost: both are repeated. */
  :: atomic { timeout && !isBound && tries < LOSSES + 1 ->
      tries++; SEND(toServer[0], SYN(0)); SEND(toServer[1], SYN(0)) }
  :: atomic { timeout && isBound && acceptances == 0 -> SEND(toServer[boundTo], ACK(boundFlow)) }
  od
}

proctype Server(byte me) {
  byte flow;
  byte given = 0;
  bool isHalfOpen = false;
end:
  do
  :: atomic { toServer[me]??SYN(flow) ->
      if
      :: isHalfOpen -> SEND(toClient, SYN_ACK(me, given))
      :: !isHalfOpen && given < FLOWS -> isHalfOpen = true; given++; SEND(toClient, SYN_ACK(me, given))
      :: !isHalfOpen && given == FLOWS -> skip
      fi }
  :: atomic { toServer[me]??ACK(flow) ->
      if
      :: isHalfOpen && flow == given ->
        isHalfOpen = false;
        acceptances++;
        assert(acceptances == 1);
        assert(isBound && boundTo == me && boundFlow == flow)
      :: else -> skip
      fi }
  :: atomic { toServer[me]??RST(flow) ->
      if
      :: isHalfOpen && flow == given -> isHalfOpen = false
      :: else -> skip
      fi }
  od
}

/* Where it cannot go on, something has come to a halt before its time: an invalid end state. */
active proctype Judge() {
  acceptances == 1 || (!isBound && tries == LOSSES + 1)
}

init {
  atomic { run Client(); run Server(0); run Server(1) }
}
