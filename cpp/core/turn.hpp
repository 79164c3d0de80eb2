/// Turns for work that fills a core and takes much memory, which is what runs of networks do.
#pragma once

namespace fastaudio {

class TurnQueue;

/// A turn lasts as long as the object. The process has `runs_at_once()` of them, and hands them out in the
/// order of asking. More work at once would end no sooner, and each piece of it takes its own
/// memory. Don't ask for one while holding a lock that the holder of another needs.
class Turn {
 public:
  /// Waits for the turn, unless the thread is within a `TurnsAtOnce`. Throws what `runs_at_once` does, and
  /// what `check_interrupt` does while it waits.
  Turn();
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  TurnQueue* queue_;  ///< null if the turn came at once
};

/// In its scope the thread's turns come at once, and nobody waits for them. It is for live sound, which may
/// not stand behind files, and has few threads.
class TurnsAtOnce {
 public:
  explicit TurnsAtOnce(bool at_once = true);
  ~TurnsAtOnce();
  TurnsAtOnce(const TurnsAtOnce&) = delete;
  TurnsAtOnce& operator=(const TurnsAtOnce&) = delete;

  /// Whether the calling thread is in such a scope.
  static bool active();

 private:
  bool before_;
};

}  // namespace fastaudio
