// Splits [0, count) over std::threads, which live for one call: a pool kept between calls would compete with
// torch's own for processors and would not survive a fork. Starting and joining a thread takes about 20 us (AMD
// EPYC, 2026-11-22); the caller weighs that against its work when it chooses their number.
#pragma once

#include <algorithm>
#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

namespace ebgan::host {

// Threads that are joined on every way out: a std::thread destroyed unjoined ends the process, and starting one
// can throw.
class ThreadGroup {
 public:
  explicit ThreadGroup(int64_t capacity) { threads_.reserve(capacity); }
  ThreadGroup(const ThreadGroup&) = delete;
  ThreadGroup& operator=(const ThreadGroup&) = delete;
  ~ThreadGroup() {
    for (std::thread& thread : threads_) thread.join();
  }

  template <typename Body>
  void start(Body&& body) {
    threads_.emplace_back(std::forward<Body>(body));
  }

 private:
  std::vector<std::thread> threads_;
};

// Calls body(begin, end) on disjoint ranges that cover [0, count), one of them on the calling thread. The body
// must not throw, because nothing catches an exception on another thread.
template <typename Body>
void parallel_for(int64_t count, int64_t threads, const Body& body) {
  const int64_t parts = std::clamp<int64_t>(threads, 1, std::max<int64_t>(count, 1));
  const auto first = [&](int64_t part) { return count / parts * part + std::min(part, count % parts); };
  ThreadGroup group(parts - 1);
  for (int64_t part = 1; part < parts; ++part) {
    group.start([&body, begin = first(part), end = first(part + 1)] { body(begin, end); });
  }
  body(first(0), first(1));
}

}  // namespace ebgan::host
