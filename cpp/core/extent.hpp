/// How long the signal was, for nodes further down that give no rows of what was padded.
#pragma once

#include <cstdint>
#include <memory>

#include "core/node.hpp"

namespace fastaudio {

/// The rows that came to a node that cuts windows. One thread at a time uses it.
struct Extent {
  double rate_hz = 0;
  std::int64_t n_rows = 0;
  bool ended = false;  ///< whether there won't be more; said before the rows that padding completes
};

/// A stream that counts what it cuts.
class ExtentSource {
 public:
  virtual ~ExtentSource() = default;
  virtual std::shared_ptr<const Extent> extent() const = 0;
};

/// A stream that asks for the extent of a source before it, or holds streams that do.
class ExtentReader {
 public:
  virtual ~ExtentReader() = default;

  /// Row 0 of the stream's input happens `base_s` seconds after the extent's first row.
  virtual void read(const std::shared_ptr<const Extent>& extent, double base_s) = 0;
};

/// Gives `extent`, if there is one, to a stream that reads it.
inline void give_extent(const std::shared_ptr<const Extent>& extent, double base_s, Stream& stream) {
  if (!extent) return;
  if (auto* reader = dynamic_cast<ExtentReader*>(&stream)) reader->read(extent, base_s);
}

/// The extent that a stream is the source of; else `before`.
inline std::shared_ptr<const Extent> extent_after(const std::shared_ptr<const Extent>& before,
                                                  const Stream& stream) {
  const auto* source = dynamic_cast<const ExtentSource*>(&stream);
  return source != nullptr ? source->extent() : before;
}

}  // namespace fastaudio
