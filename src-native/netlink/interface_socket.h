// Asks the kernel for its interfaces and addresses, and hears of changes (rtnetlink).
#pragma once

#include <cstdint>

#include "../socket/file_descriptor.h"
#include "../socket/link_socket.h"
#include "interface_table.h"

namespace serval {

class InterfaceSocket {
 public:
  /** Opens, subscribes and reads all there is now. */
  SystemError open();
  void close() { descriptor_.close(); }
  int descriptor() const { return descriptor_.number(); }

  /** Reads what is there. True when the table may have changed. */
  bool read();

  const InterfaceTable& table() const { return table_; }

 private:
  SystemError refresh();
  SystemError dump(uint16_t type);

  FileDescriptor descriptor_;
  InterfaceTable table_;
  uint32_t sequence_ = 0;
};

}  // namespace serval
