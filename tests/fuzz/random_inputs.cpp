// Stands in for libFuzzer where the compiler has none: the same inputs for the same seed, without guidance.
//
//     fuzz_streams [-runs=N] [-seed=N]
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
  unsigned long runs = 1000;
  unsigned long seed = 1;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument.starts_with("-runs=")) runs = std::strtoul(argv[i] + 6, nullptr, 10);
    if (argument.starts_with("-seed=")) seed = std::strtoul(argv[i] + 6, nullptr, 10);
  }
  std::mt19937 engine(static_cast<std::uint32_t>(seed));
  for (unsigned long run = 0; run < runs; ++run) {
    std::vector<std::uint8_t> data(engine() % 2048);
    for (std::uint8_t& byte : data) byte = static_cast<std::uint8_t>(engine());
    LLVMFuzzerTestOneInput(data.data(), data.size());
  }
  std::cout << runs << " inputs of seed " << seed << ": all laws held\n";
}
