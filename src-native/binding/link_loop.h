// A SocketLink on the event loop: watches its sockets, keeps the turn short, and closes when its owner or the
// environment does. It lives until the loop has let go of its handles, and then deletes itself.
#pragma once

#include <node_api.h>
#include <uv.h>

#include <vector>

#include "../socket/socket_link.h"
#include "../socket/spin_policy.h"

namespace serval {

class LinkLoop {
 public:
  /** Told from the loop, never from inside a call to the LinkLoop. Any of them may close it. */
  class Listener {
   public:
    virtual ~Listener() = default;
    /** Where the next burst may go. */
    virtual ReceiveRoom room() = 0;
    virtual void received(size_t rows) = 0;
    /** Follows `received`, when what was put off to the end of its callback has run. */
    virtual void settled() = 0;
    virtual void writable() = 0;
    virtual void happened(const NetworkEvent& event) = 0;
    /** The sockets and handles are gone; the LinkLoop is about to be. */
    virtual void closed() = 0;
    /** The environment ends: the LinkLoop goes by itself, and JavaScript must not be called any more. */
    virtual void orphaned() = 0;
  };

  LinkLoop(napi_env env, uv_loop_t* loop, const SocketLinkOptions& options, Listener& listener);

  /** After an error nothing is open, and `close` is still to be called. */
  SystemError open();
  bool transmit(const TransmitRows& batch);
  void close();
  /** The listener dies before the handles do. */
  void detach() { listener_ = nullptr; }
  void setReference(bool isReferenced);

  SocketLink& link() { return link_; }

 private:
  /** One socket and its watch. */
  struct Watch {
    LinkLoop* owner = nullptr;
    LinkSocket* socket = nullptr;
    uv_poll_t handle{};
    bool isOpen = false;
  };

  ~LinkLoop() = default;
  SystemError watch(Watch& watch, LinkSocket& socket);
  void startPolling(Watch& watch);
  void onPoll(Watch& watch, int status, int events);
  void onTimer();
  bool receive(Watch& watch);
  void resume();
  void waitForRoom();
  void spin(bool isWanted);
  void onSpin();
  void scheduleEvents();
  void tellEvents();
  void onHandleClosed();
  static void cleanUp(napi_async_cleanup_hook_handle hook, void* data);

  SocketLink link_;
  Listener* listener_;
  uv_loop_t* const loop_;
  Watch watches_[2];
  uv_timer_t timer_{};
  SpinPolicy spinning_;
  /** Active while spinning: then the loop looks at all its descriptors without sleeping, and turns. */
  uv_idle_t spinner_{};
  /** The socket that packets came from last. */
  Watch* latest_ = nullptr;
  int openHandles_ = 0;
  bool isClosing_ = false;
  /** The handler is owed a `writable`. */
  bool isWaiting_ = false;
  napi_async_cleanup_hook_handle hook_ = nullptr;
};

}  // namespace serval
