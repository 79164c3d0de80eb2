/// Base of composites that join the rows of their branches, aligned in time, into one row.
#pragma once

#include "core/compose/align.hpp"
#include "core/compose/composite.hpp"

namespace fastaudio {

class Joined : public Branched {
 public:
  std::vector<Output> outputs(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override;
  double receptive_field_s(const StreamSpec& input) const override;

 protected:
  /// `type`: the name for messages; `rate_of`: the branch whose rate comes out, none for the fastest;
  /// `average`: see Alignment.
  Joined(std::span<const ChildArgument> arguments, std::vector<NodePtr> branches, const char* type,
         std::optional<int> rate_of, bool average)
      : Branched(arguments, std::move(branches)), type_(type), rate_of_(rate_of), average_(average) {}

  /// What is aligned: the branches' outputs, in the branches' order.
  virtual std::vector<AlignedRows> aligned(const StreamSpec& input) const = 0;

  /// Fills in the joined rows' spec. It begins as a copy of the spec of the branch whose rate comes out,
  /// without labels and bin_hz.
  virtual void join_specs(const std::vector<AlignedRows>& rows, StreamSpec& spec) const = 0;

  Alignment alignment(const std::vector<AlignedRows>& rows) const;

 private:
  std::optional<Alignment::Extent> extent() const;

  const char* type_;
  std::optional<int> rate_of_;
  bool average_;
};

}  // namespace fastaudio
