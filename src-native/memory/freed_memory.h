// What the C library does with memory that is freed.
#pragma once

namespace serval {

/**
 * Has the C library keep up to 64 MB of freed memory instead of 128 kB to a few MB, in the whole process, unless
 * MALLOC_TRIM_THRESHOLD_ or MALLOC_MMAP_THRESHOLD_ say otherwise. A stream's slabs are freed by collections, many at a time;
 * given back to the kernel, each page of the next ones costs a fault and is cleared, a quarter of a receiver's time.
 */
void keepFreedMemory();

}  // namespace serval
