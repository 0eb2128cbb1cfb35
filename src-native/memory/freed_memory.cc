#include "freed_memory.h"

#include <malloc.h>

#include <cstdlib>

namespace serval {

namespace {

/** Slabs that are under way between two collections, at 40 Gbit/s. */
constexpr int kKeptBytes = 64 * 1024 * 1024;
/** A slab is smaller: one from here on has pages of its own, and these always go back. */
constexpr int kOwnPagesBytes = 4 * 1024 * 1024;

}  // namespace

void keepFreedMemory() {
#ifdef __GLIBC__
  if (std::getenv("MALLOC_TRIM_THRESHOLD_") != nullptr || std::getenv("MALLOC_MMAP_THRESHOLD_") != nullptr) return;
  mallopt(M_TRIM_THRESHOLD, kKeptBytes);
  mallopt(M_MMAP_THRESHOLD, kOwnPagesBytes);
#endif
}

}  // namespace serval
