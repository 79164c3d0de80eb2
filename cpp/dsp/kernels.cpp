#include "dsp/kernels.hpp"

#include <cstdlib>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "simd/cpu.hpp"

namespace fastaudio::dsp {

namespace FASTAUDIO_BASE_ISA {
extern const Kernels table;
}
#ifdef FASTAUDIO_X86
namespace avx2 {
extern const Kernels table;
}
namespace avx512 {
extern const Kernels table;
}
#endif

namespace {

/// Lists the tables that this processor can run, slowest first.
std::vector<const Kernels*> usable_tables() {
  std::vector<const Kernels*> tables{&FASTAUDIO_BASE_ISA::table};
#ifdef FASTAUDIO_X86
  if (simd::cpu_has_avx2()) tables.push_back(&avx2::table);
  if (simd::cpu_has_avx512()) tables.push_back(&avx512::table);
#endif
  return tables;
}

const Kernels& choose() {
  const auto tables = usable_tables();
  const char* wanted = std::getenv("FASTAUDIO_ISA");
  if (wanted == nullptr || *wanted == '\0') return *tables.back();
  std::string names;
  for (const Kernels* table : tables) {
    if (table->isa == std::string(wanted)) return *table;
    names += (names.empty() ? "" : ", ") + std::string(table->isa);
  }
  throw ValueError("FASTAUDIO_ISA: expected one of " + names + " on this processor, got '" + wanted +
                   "'; unset it to take the fastest");
}

}  // namespace

const Kernels& kernels() {
  static const Kernels& chosen = choose();
  return chosen;
}

}  // namespace fastaudio::dsp
