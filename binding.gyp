{
  "targets": [
    {
      "target_name": "serval",
      "conditions": [
        ["OS=='linux'", {
          "sources": [
            "src-native/binding/addon.cc",
            "src-native/binding/arguments.cc",
            "src-native/binding/interface_monitor_binding.cc",
            "src-native/binding/link_loop.cc",
            "src-native/binding/results.cc",
            "src-native/binding/socket_functions.cc",
            "src-native/binding/socket_link_binding.cc",
            "src-native/binding/transmit_arguments.cc",
            "src-native/binding/wire_functions.cc",
            "src-native/checksum/internet_checksum.cc",
            "src-native/checksum/transport_checksum.cc",
            "src-native/memory/freed_memory.cc",
            "src-native/netlink/interface_socket.cc",
            "src-native/netlink/interface_table.cc",
            "src-native/socket/batch_sender.cc",
            "src-native/socket/control_messages.cc",
            "src-native/socket/error_queue.cc",
            "src-native/socket/flow_filter.cc",
            "src-native/socket/link_socket.cc",
            "src-native/socket/message_sender.cc",
            "src-native/socket/outgoing_message.cc",
            "src-native/socket/packet_receiver.cc",
            "src-native/socket/path_lookup.cc",
            "src-native/socket/send_order.cc",
            "src-native/socket/socket_address.cc",
            "src-native/socket/socket_link.cc",
            "src-native/train/packet_cutter.cc",
            "src-native/train/train_joiner.cc",
            "src-native/train/transmit_rows.cc",
          ],
          "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
          "defines": [
            "NAPI_VERSION=9",
            "NAPI_DISABLE_CPP_EXCEPTIONS",
            "NODE_ADDON_API_DISABLE_DEPRECATED",
            # A thread that is terminated inside of a call can neither return a value nor throw: nobody is told.
            "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS",
          ],
          "cflags": ["-O2", "-Wall", "-Wextra", "-Wno-unused-parameter", "-fvisibility=hidden"],
          "cflags_cc!": ["-std=gnu++14", "-std=gnu++17", "-std=gnu++20", "-frtti", "-fexceptions"],
          "cflags_cc": ["-std=c++17", "-fno-exceptions", "-fno-rtti", "-fvisibility=hidden"],
        }, {
          # Elsewhere the TypeScript link does the work.
          "type": "none",
        }],
      ],
    },
  ],
}
