/// What can go wrong, by whose fault; every message reads "Subject: expected X, got Y; remedy."
#pragma once

#include <stdexcept>
#include <string>

namespace fastaudio {

struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// An option, a shape or a value outside what is allowed.
struct ValueError : Error {
  using Error::Error;
};

/// An argument of a wrong kind.
struct TypeError : Error {
  using Error::Error;
};

/// A call at the wrong time, such as a push after flush.
struct StateError : Error {
  using Error::Error;
};

/// Sound came faster than it could be run.
struct Overrun : Error {
  using Error::Error;
};

/// A model that can't be loaded or run as asked.
struct ModelError : Error {
  using Error::Error;
};

/// A thread goes on while the process ends; whoever runs it should let it end without a word.
struct EndOfProcess : ModelError {
  using ModelError::ModelError;
};

}  // namespace fastaudio
