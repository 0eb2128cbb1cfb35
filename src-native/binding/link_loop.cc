#include "link_loop.h"

namespace serval {

namespace {

/** How long a full device queue is left alone: at 1 Gbit/s it drains 125 kB in this time. */
constexpr uint64_t kRetryMilliseconds = 1;
/** Some 0.3 us each: whatever else the loop watches waits for about 5 us. */
constexpr int kPollsPerTurn = 16;

}  // namespace

LinkLoop::LinkLoop(napi_env env, uv_loop_t* loop, const SocketLinkOptions& options, Listener& listener)
    : link_(options), listener_(&listener), loop_(loop), spinning_(options.spinNanoseconds) {
  uv_timer_init(loop_, &timer_);
  timer_.data = this;
  uv_unref(reinterpret_cast<uv_handle_t*>(&timer_));
  uv_idle_init(loop_, &spinner_);
  spinner_.data = this;
  uv_unref(reinterpret_cast<uv_handle_t*>(&spinner_));
  openHandles_ = 2;
  // Without it a worker that ends would free its loop under open handles.
  napi_add_async_cleanup_hook(env, cleanUp, this, &hook_);
}

SystemError LinkLoop::open() {
  SystemError error = link_.open();
  if (!error.isError()) error = watch(watches_[0], link_.v4());
  if (!error.isError()) error = watch(watches_[1], link_.v6());
  return error;
}

SystemError LinkLoop::watch(Watch& watch, LinkSocket& socket) {
  if (!socket.isOpen()) return {};
  watch.owner = this;
  watch.socket = &socket;
  const int failed = uv_poll_init(loop_, &watch.handle, socket.descriptor());
  if (failed != 0) return {-failed, "epoll_ctl"};
  watch.handle.data = &watch;
  watch.isOpen = true;
  openHandles_++;
  startPolling(watch);
  return {};
}

void LinkLoop::startPolling(Watch& watch) {
  if (!watch.isOpen || isClosing_) return;
  int events = UV_READABLE | UV_PRIORITIZED;
  const MessageSender& sender = link_.sender();
  if (sender.wait() == MessageSender::Wait::writable && sender.waitingFamily() == watch.socket->family()) {
    events |= UV_WRITABLE;
  }
  uv_poll_start(&watch.handle, events, [](uv_poll_t* handle, int status, int happened) {
    auto* const watched = static_cast<Watch*>(handle->data);
    watched->owner->onPoll(*watched, status, happened);
  });
}

bool LinkLoop::transmit(const TransmitRows& batch) {
  const bool isDone = link_.transmit(batch);
  if (!isDone) waitForRoom();
  scheduleEvents();
  if (spinning_.isEnabled()) spin(spinning_.sent(uv_hrtime()));
  return isDone;
}

void LinkLoop::onPoll(Watch& watch, int status, int events) {
  // libuv stops the watch on an error condition that it does not know: here that is a full error queue.
  if (status < 0) startPolling(watch);
  if (status < 0 || (events & UV_PRIORITIZED) != 0) {
    link_.readErrors(*watch.socket);
    tellEvents();
  }
  if (!isClosing_ && (events & UV_READABLE) != 0) receive(watch);
  if (!isClosing_ && (events & UV_WRITABLE) != 0) resume();
}

/** One burst a turn: the loop comes back at once if there is more. Whether there was any. */
bool LinkLoop::receive(Watch& watch) {
  if (listener_ == nullptr) return false;
  const Burst burst = link_.receive(*watch.socket, listener_->room());
  if (burst.rows == 0) return false;
  listener_->received(burst.rows);
  if (listener_ != nullptr) listener_->settled();
  if (!spinning_.isEnabled() || isClosing_) return true;
  latest_ = &watch;
  if (spinning_.isSpinning()) link_.statistics().spinHits++;
  spin(spinning_.received(uv_hrtime()));
  return true;
}

void LinkLoop::spin(bool isWanted) {
  if (!isWanted || isClosing_ || uv_is_active(reinterpret_cast<uv_handle_t*>(&spinner_)) != 0) return;
  link_.statistics().spins++;
  uv_idle_start(&spinner_, [](uv_idle_t* spinner) { static_cast<LinkLoop*>(spinner->data)->onSpin(); });
}

/**
 * Once a turn of the loop, which polls all that it watches in between, so that nothing waits for a spin. A turn
 * costs more than a microsecond: between two of them the socket that is in use is asked several times.
 */
void LinkLoop::onSpin() {
  for (int poll = 0; poll < kPollsPerTurn; poll++) {
    if (latest_ != nullptr && latest_->isOpen && receive(*latest_)) return;
  }
  if (!spinning_.isOver(uv_hrtime())) return;
  uv_idle_stop(&spinner_);
}

void LinkLoop::resume() {
  if (!link_.resume()) {
    waitForRoom();
    return;
  }
  for (Watch& watch : watches_) startPolling(watch);
  scheduleEvents();
  if (!isWaiting_) return;
  isWaiting_ = false;
  if (listener_ != nullptr) listener_->writable();
}

void LinkLoop::waitForRoom() {
  isWaiting_ = true;
  for (Watch& watch : watches_) startPolling(watch);
  if (link_.sender().wait() != MessageSender::Wait::timer) return;
  uv_timer_start(&timer_, [](uv_timer_t* timer) { static_cast<LinkLoop*>(timer->data)->onTimer(); },
                 kRetryMilliseconds, 0);
}

/** What a transmit found out is told later: its caller must not be called back. */
void LinkLoop::scheduleEvents() {
  if (link_.events().isEmpty() || isClosing_ || uv_is_active(reinterpret_cast<uv_handle_t*>(&timer_)) != 0) return;
  uv_timer_start(&timer_, [](uv_timer_t* timer) { static_cast<LinkLoop*>(timer->data)->onTimer(); }, 0, 0);
}

void LinkLoop::onTimer() {
  tellEvents();
  if (!isClosing_ && link_.sender().wait() == MessageSender::Wait::timer) resume();
}

void LinkLoop::tellEvents() {
  for (const NetworkEvent& event : link_.events().take()) {
    if (isClosing_ || listener_ == nullptr) return;
    listener_->happened(event);
  }
}

void LinkLoop::setReference(bool isReferenced) {
  for (Watch& watch : watches_) {
    if (!watch.isOpen) continue;
    auto* const handle = reinterpret_cast<uv_handle_t*>(&watch.handle);
    if (isReferenced) {
      uv_ref(handle);
    } else {
      uv_unref(handle);
    }
  }
}

void LinkLoop::close() {
  if (isClosing_) return;
  isClosing_ = true;
  const auto closed = [](uv_handle_t* handle) {
    if (handle->type == UV_POLL) {
      static_cast<Watch*>(handle->data)->owner->onHandleClosed();
    } else {
      static_cast<LinkLoop*>(handle->data)->onHandleClosed();
    }
  };
  for (Watch& watch : watches_) {
    if (watch.isOpen) uv_close(reinterpret_cast<uv_handle_t*>(&watch.handle), closed);
    watch.isOpen = false;
  }
  uv_close(reinterpret_cast<uv_handle_t*>(&timer_), closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&spinner_), closed);
  link_.close();
}

void LinkLoop::onHandleClosed() {
  if (--openHandles_ > 0) return;
  if (hook_ != nullptr) napi_remove_async_cleanup_hook(hook_);
  Listener* const listener = listener_;
  delete this;
  if (listener != nullptr) listener->closed();
}

void LinkLoop::cleanUp(napi_async_cleanup_hook_handle, void* data) {
  auto* const self = static_cast<LinkLoop*>(data);
  if (self->listener_ != nullptr) self->listener_->orphaned();
  self->detach();
  self->close();
}

}  // namespace serval
