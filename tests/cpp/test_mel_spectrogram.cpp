#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "dsp/mel_filterbank.hpp"
#include "dsp/window.hpp"
#include "helpers.hpp"
#include "nodes/mel_spectrogram.hpp"
#include "references.hpp"

using namespace fastaudio;
using namespace fastaudio::test;

namespace {

using Options = MelSpectrogram::Options;

Floats mel_rows(const Options& options, const Floats& x) {
  return run(*std::make_shared<MelSpectrogram>(options), StreamSpec::samples(options.sample_rate), x);
}

/// Frame, window, transform, filter.
Floats naive_rows(const Options& o, const Floats& x) {
  const int win_length = o.win_length.value_or(o.n_fft);
  const auto window = dsp::make_window(o.window, win_length, o.n_fft);
  const auto bank = dsp::make_mel_filterbank({double(o.sample_rate), o.n_fft, o.n_mels, o.f_min,
                                              o.f_max.value_or(o.sample_rate / 2.0), o.mel_scale, o.norm,
                                              o.triangles == "mel"});
  const int pad = o.center ? o.n_fft / 2 : 0;
  const auto edge = o.pad_mode == "reflect" ? Framer::Edge::reflect : Framer::Edge::zeros;
  const Floats frames = naive_frames(x, {o.n_fft, o.hop_length, pad, pad, edge, 1});
  Floats rows;
  for (auto frame = frames.begin(); frame != frames.end(); frame += o.n_fft) {
    Floats windowed(frame, frame + o.n_fft);
    for (std::size_t i = 0; i < windowed.size(); ++i) windowed[i] *= window[i];
    const auto power = dft_power(windowed);
    for (std::size_t b = 0; b < bank.first.size(); ++b) {
      double total = 0;
      const auto first = static_cast<std::size_t>(bank.first[b]);
      const auto from = static_cast<std::size_t>(bank.offset[b]);
      const auto n = static_cast<std::size_t>(bank.offset[b + 1]) - from;
      for (std::size_t k = 0; k < n; ++k) {
        total += bank.weights[from + k] * std::pow(power[first + k], o.power / 2);
      }
      rows.push_back(static_cast<float>(total));
    }
  }
  return rows;
}

Options base() { return {{.sample_rate = 16000, .n_fft = 128, .hop_length = 50}, 12}; }

}  // namespace

TEST_CASE("mel spectrogram: rows equal their definition") {
  std::vector<Options> cases(11, base());
  cases[1].center = false;
  cases[2].pad_mode = "reflect";
  cases[3].win_length = 90;
  cases[4].n_fft = 77;
  cases[5].hop_length = 200;
  cases[6].power = 1;
  cases[7].window = "hamming_symmetric";
  cases[8] = {{.sample_rate = 11025, .n_fft = 250, .hop_length = 60}, 33, 90, 5000.0, 3, "none", "htk"};
  cases[9].norm = "unit_sum";
  cases[10].triangles = "mel";
  for (const Options& options : cases) {
    for (const std::size_t n : {1u, 30u, 127u, 128u, 2000u}) {
      const std::string name = MelSpectrogram(options).repr();
      CAPTURE(name);
      CAPTURE(n);
      const Floats x = Random(80).samples(n);
      const Floats want = naive_rows(options, x);
      const double largest = *std::max_element(want.begin(), want.end());
      CHECK(largest_difference(mel_rows(options, x), want) <= 3e-6 * largest);
    }
  }
}

TEST_CASE("mel spectrogram: as many rows as its page says") {
  for (const std::size_t n : {1u, 49u, 50u, 127u, 128u, 177u, 178u, 5000u}) {
    CAPTURE(n);
    Options options = base();
    const Floats x(n, 0.5f);
    const auto n_mels = static_cast<std::size_t>(options.n_mels);
    CHECK(mel_rows(options, x).size() == n_mels * (1 + n / 50));
    options.center = false;
    CHECK(mel_rows(options, x).size() == n_mels * (n < 128 ? 1 : 1 + (n - 128) / 50));
  }
}

TEST_CASE("mel spectrogram: rate and unit and latency are told") {
  Options options = base();
  const StreamSpec samples = StreamSpec::samples(16000);
  const StreamSpec spec = MelSpectrogram(options).outputs(samples).front().spec;
  CHECK(spec.rate_hz == 320);
  CHECK(spec.shape == std::vector<std::int64_t>{12});
  CHECK(spec.unit == "power");
  CHECK(spec.latency_s == doctest::Approx(64.0 / 16000));
  options.center = false;
  CHECK(MelSpectrogram(options).outputs(samples).front().spec.latency_s == doctest::Approx(128.0 / 16000));
  options.power = 1;
  CHECK(MelSpectrogram(options).outputs(samples).front().spec.unit == "magnitude");
}

TEST_CASE("mel spectrogram: bands without a bin are told and stay zero") {
  Options options = base();
  options.n_mels = 60;
  const MelSpectrogram node(options);
  REQUIRE_FALSE(node.empty_bands().empty());
  const Floats rows = mel_rows(options, Random(81).samples(1000));
  for (const int band : node.empty_bands()) {
    for (std::size_t at = static_cast<std::size_t>(band); at < rows.size(); at += 60) CHECK(rows[at] == 0);
  }
}
