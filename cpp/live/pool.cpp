#include "live/pool.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "core/platform.hpp"

namespace fastaudio::live {

namespace {

constexpr double kLongestSleep_s = 0.05;
constexpr double kShortestSleep_s = 0.002;

std::chrono::nanoseconds duration(double seconds) {
  return std::chrono::nanoseconds(static_cast<std::int64_t>(1e9 * seconds));
}

}  // namespace

/// What the workers share; all of it guarded by the mutex, but for the options.
struct Pool::Shared {
  explicit Shared(const PoolOptions& the_options) : options(the_options) {}

  /// A batch of one node, and whether a worker runs it: then others wait for the next round.
  struct Group {
    std::unique_ptr<Batch> batch;
    std::vector<std::shared_ptr<LiveStream>> waiting;
    bool running = false;
  };

  using Lock = std::unique_lock<std::mutex>;

  /// Drops what was closed, and batches that nobody can join any more.
  void clean();

  /// The next stream whose turn it is, claimed; sets `sleep_s` to how long none is due.
  std::shared_ptr<LiveStream> next_stream(double& sleep_s);
  bool run_group(Lock& lock, double& sleep_s);
  void join_group(std::shared_ptr<LiveStream> stream);

  const PoolOptions options;
  mutable std::mutex mutex;
  std::condition_variable wake;
  std::condition_variable let_go;  ///< a worker has unclaimed a stream
  std::vector<std::shared_ptr<LiveStream>> streams;
  std::map<const Node*, Group> groups;
  std::size_t turn = 0;  ///< index of the stream to look at first
  bool paused = false;
  bool closing = false;
};

Pool::Pool(const PoolOptions& options)
    : options_(options),
      shared_(std::make_shared<Shared>(options)),
      generation_(platform::fork_generation()) {
  const auto within = [](const char* name, double value, double low, double high) {
    if (value >= low && value <= high) return;
    throw ValueError(std::string("Pool: expected ") + name + " in [" + std::to_string(low) + ", " +
                     std::to_string(high) + "], got " + std::to_string(value));
  };
  within("workers", options.workers, 1, 1024);
  within("batch", options.batch, 1, 4096);
  within("batch_wait_s", options.batch_wait_s, 0, 60);
}

Pool::~Pool() {
  if (generation_ != platform::fork_generation()) {
    static_cast<void>(workers_.release());  // they stayed in the parent: there is nothing to join
    return;
  }
  close();
}

void Pool::add(const std::shared_ptr<LiveStream>& stream) {
  if (generation_ != platform::fork_generation()) {
    throw StateError("Pool: expected a pool made in this process, got one from before a fork; make another");
  }
  const std::lock_guard lock(shared_->mutex);
  if (shared_->closing) throw StateError("Pool: expected an open pool, got a closed one; make another");
  const std::weak_ptr<Shared> shared = shared_;
  stream->on_ready([shared] {
    const auto alive = shared.lock();
    if (!alive) return;
    {
      const std::lock_guard between(alive->mutex);
    }  // a worker has looked, and waits, or will look
    alive->wake.notify_one();
  });
  shared_->streams.push_back(stream);
  const std::size_t wanted = std::min(shared_->streams.size(), static_cast<std::size_t>(options_.workers));
  while (workers_->size() < wanted) {
    try {
      workers_->emplace_back([shared = shared_] { work(*shared); });
    } catch (const std::system_error&) {
      if (!workers_->empty()) break;  // fewer do the same, if later
      shared_->streams.pop_back();
      throw StateError("Pool: expected a thread to be started, got none; close other programs");
    }
  }
  shared_->wake.notify_one();
}

void Pool::remove(const std::shared_ptr<LiveStream>& stream, double timeout_s) {
  stream->close();
  if (generation_ != platform::fork_generation()) return;
  Shared::Lock lock(shared_->mutex);
  shared_->let_go.wait_for(lock, duration(timeout_s), [&] { return !stream->claimed(); });
  std::erase(shared_->streams, stream);
}

void Pool::pause() {
  const std::lock_guard lock(shared_->mutex);
  shared_->paused = true;
}

void Pool::resume() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->paused = false;
  }
  shared_->wake.notify_all();
}

std::size_t Pool::size() const {
  const std::lock_guard lock(shared_->mutex);
  return static_cast<std::size_t>(std::count_if(shared_->streams.begin(), shared_->streams.end(),
                                                [](const auto& stream) { return !stream->done(); }));
}

void Pool::close() {
  if (generation_ != platform::fork_generation()) return;
  std::vector<std::shared_ptr<LiveStream>> streams;
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->closing = true;
    streams.swap(shared_->streams);
  }
  for (const auto& stream : streams) stream->close();
  shared_->wake.notify_all();
  for (std::thread& worker : *workers_) worker.join();
  workers_->clear();
}

// The workers' side.

void Pool::Shared::clean() {
  const auto n_erased = std::erase_if(streams, [](const auto& stream) {
    return (stream->done() || stream->closing()) && !stream->claimed();
  });
  if (n_erased == 0) return;
  std::erase_if(groups, [](const auto& entry) {
    const Group& group = entry.second;
    return !group.running && group.batch->empty() && group.batch->node().use_count() == 1;
  });
}

std::shared_ptr<LiveStream> Pool::Shared::next_stream(double& sleep_s) {
  clean();
  for (std::size_t i = 0; i < streams.size(); ++i) {
    const std::size_t at = (turn + i) % streams.size();
    LiveStream& stream = *streams[at];
    if (stream.claimed() || stream.done()) continue;
    if (!stream.ready()) {
      sleep_s = std::min(sleep_s, std::max(stream.ready_in_s(), kShortestSleep_s));
    } else if (stream.claim()) {
      turn = at + 1;
      return streams[at];
    }
  }
  return nullptr;
}

void Pool::Shared::join_group(std::shared_ptr<LiveStream> stream) {
  const NodePtr& node = stream->chain().holder();
  Group& group = groups[node.get()];
  if (!group.batch) group.batch = std::make_unique<Batch>(node, stream->chain().held_spec(), options.batch);
  group.waiting.push_back(std::move(stream));
  if (group.running) return;
  for (auto& waiting : group.waiting) group.batch->add(std::move(waiting));
  group.waiting.clear();
}

/// Runs a batch that is full, or has waited long enough; false if there is none.
bool Pool::Shared::run_group(Lock& lock, double& sleep_s) {
  for (auto& [node, group] : groups) {
    if (group.running || group.batch->empty()) continue;
    const double age_s = 1e-9 * static_cast<double>(now_ns() - group.batch->since_ns());
    if (!group.batch->full() && age_s < options.batch_wait_s && !closing) {
      sleep_s = std::min(sleep_s, options.batch_wait_s - age_s);
      continue;
    }
    group.running = true;
    lock.unlock();
    group.batch->run();
    lock.lock();
    group.running = false;
    for (auto& waiting : group.waiting) group.batch->add(std::move(waiting));
    group.waiting.clear();
    let_go.notify_all();
    return true;
  }
  return false;
}

void Pool::work(Shared& shared) {
  Shared::Lock lock(shared.mutex);
  while (!shared.closing) {
    double sleep_s = kLongestSleep_s;
    if (!shared.paused) {
      if (shared.run_group(lock, sleep_s)) continue;
      if (auto stream = shared.next_stream(sleep_s)) {
        lock.unlock();
        stream->service();
        lock.lock();
        if (stream->chain().n_held() > 0 && !stream->done()) {
          shared.join_group(std::move(stream));
        } else {
          stream->unclaim();
          shared.let_go.notify_all();
        }
        continue;
      }
    }
    shared.wake.wait_for(lock, duration(sleep_s));
  }
}

}  // namespace fastaudio::live
