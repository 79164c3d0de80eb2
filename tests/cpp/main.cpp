// Runs the cases; see doctest's --help for filters.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "simd/cpu.hpp"

namespace {

constexpr int kSkipped = 77;

/// Whether the environment asks for an instruction set that this processor lacks.
bool lacks_instructions(const std::string& isa) {
  if (isa == "avx2") return !fastaudio::simd::cpu_has_avx2();
  if (isa == "avx512") return !fastaudio::simd::cpu_has_avx512();
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  const char* isa = std::getenv("FASTAUDIO_ISA");
  if (isa != nullptr && lacks_instructions(isa)) {
    std::cout << "skipped: this processor has no " << isa << "\n";
    return kSkipped;
  }
  return doctest::Context(argc, argv).run();
}
