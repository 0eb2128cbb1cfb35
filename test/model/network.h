/* A network that loses, repeats and reorders, each so often at most; shared by the models. A repeated packet stands twice
   in the channel; what is received out of turn is taken with `??`. */

#ifndef LOSSES
#define LOSSES 3
#endif
#ifndef REPEATS
#define REPEATS 2
#endif
#ifndef ROOM
#define ROOM 4
#endif

byte losses = 0;
byte repeats = 0;

#define SEND(channel, message) \
  if \
  :: nfull(channel) -> channel!message \
  :: losses < LOSSES -> losses++ \
  :: repeats < REPEATS && len(channel) + 2 <= ROOM -> repeats++; channel!message; channel!message \
  :: full(channel) -> skip \
  fi
