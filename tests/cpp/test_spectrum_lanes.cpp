// A frame's numbers depend on its samples alone: not on its lane, nor on how many are computed at once,
// although few frames take another way through the transform than many.
#include <doctest/doctest.h>

#include "dsp/mel_filterbank.hpp"
#include "dsp/window.hpp"
#include "helpers.hpp"
#include "spectra.hpp"

using namespace fastaudio;
using namespace fastaudio::test;

namespace {

/// This isn't a constant, because main has to look at the processor before the table is asked for.
int lanes() { return dsp::kernels().lanes; }

Floats part(const Floats& x, std::ptrdiff_t first, std::ptrdiff_t n) {
  return {x.begin() + first, x.begin() + first + n};
}

/// Whether every number of frames, taken from any place in a batch, has the bits of the whole batch.
bool frames_are_alone(const dsp::SpectrumPlan& plan, const dsp::FilterPlan& filter, Random& random) {
  const int n = plan.fft.n_fft;
  const int length = plan.frame.frame_length;
  const int hop = random.integer(1, n);
  const Floats x = random.samples(static_cast<std::size_t>(length + hop * (lanes() - 1)));
  const Floats all = spectrum_rows(dsp::kernels(), plan, filter, x.data(), hop, lanes());
  const auto row = static_cast<std::ptrdiff_t>(all.size()) / lanes();
  for (int count = 1; count <= lanes(); ++count) {
    for (const int first : {random.integer(0, lanes() - count), lanes() - count}) {
      const Floats own = part(x, first * hop, length + hop * (count - 1));
      const Floats rows = spectrum_rows(dsp::kernels(), plan, filter, own.data(), hop, count);
      if (!same_bits(rows, part(all, first * row, count * row))) return false;
    }
  }
  return true;
}

struct Values {
  bool is_complex;
  float power;
  bool filters;
};
constexpr Values kValues[] = {{true, 2, false}, {false, 2, false}, {false, 1, false},  {false, 0.5f, false},
                              {false, 2, true}, {false, 1, true},  {false, 0.5f, true}};

struct Conditioning {
  bool is_short;
  bool remove_dc;
  float preemphasis;
};
constexpr Conditioning kConditionings[] = {
    {false, false, 0}, {true, false, 0}, {false, true, 0}, {false, false, 0.97f}, {true, true, 0.97f}};

bool frames_are_alone(int n, const Values& values, const Conditioning& conditioning, Random& random) {
  Spectra spectra(n);
  dsp::SpectrumPlan& plan = spectra.plan;
  plan.is_complex = values.is_complex;
  plan.power = values.power;
  if (conditioning.is_short) plan.frame.frame_length = random.integer(1, n);
  plan.frame.remove_dc = conditioning.remove_dc;
  plan.frame.preemphasis = conditioning.preemphasis;
  const Floats window = dsp::make_window("hamming", plan.frame.frame_length, n, true);
  plan.frame.window = window.data();
  if (!values.filters) return frames_are_alone(plan, {}, random);
  const int n_mels = random.integer(1, n / 2 + 1);
  const auto bank = dsp::make_mel_filterbank({16000, n, n_mels, 0, 8000, "slaney", "slaney", false});
  return frames_are_alone(plan, bank.plan(), random);
}

}  // namespace

TEST_CASE("spectrum: a frame's bits are its own, for every length to 300") {
  Random random(20);
  for (int n = 2; n <= 300; ++n) {
    CAPTURE(n);
    CHECK(frames_are_alone(n, kValues[random.integer(0, 6)], kConditionings[random.integer(0, 4)], random));
  }
}

TEST_CASE("spectrum: a frame's bits are its own, whatever is done to it and made of it") {
  Random random(21);
  // Stages of 2, 3, 4, 5 alone and mixed, down to parts of every size; 7, 11 and 13; a chirp.
  for (const int n : {16,  32,  64,  128, 256, 512, 1024, 2048, 54, 162, 250, 1250, 240, 360,  400,
                      480, 600, 800, 882, 960, 500, 1000, 1200, 14, 154, 182, 1001, 441, 1103, 530}) {
    for (const Values& values : kValues) {
      for (const Conditioning& conditioning : kConditionings) {
        CAPTURE(n);
        CAPTURE(values.is_complex);
        CAPTURE(values.power);
        CAPTURE(values.filters);
        CAPTURE(conditioning.is_short);
        CAPTURE(conditioning.remove_dc);
        CAPTURE(conditioning.preemphasis);
        CHECK(frames_are_alone(n, values, conditioning, random));
      }
    }
  }
}

TEST_CASE("spectrum: a frame's bits are its own, long ones too") {
  Random random(22);
  for (const int n : {4096, 8192, 6000, 9604, 8206, 16384, 32768, 65536}) {
    CAPTURE(n);
    CHECK(frames_are_alone(n, kValues[0], kConditionings[0], random));
  }
}
