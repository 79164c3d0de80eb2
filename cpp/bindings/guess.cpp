#include "bindings/guess.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace fastaudio::bindings {

namespace {

/// Words that mean the same, separated by spaces; the first ones are this library's.
constexpr std::string_view kSynonyms[] = {
    "sample_rate input_rate sr fs rate samplerate sampling_rate frame_rate orig_sr orig_freq "
    "sample_frequency",
    "output_rate target_sr new_freq target_rate",
    "hop_length hop hop_s stride step frame_step frame_shift hop_size hopsize step_size",
    "win_length frame_length window_length window_size win_size win frame_size",
    "n_fft nfft fft_size fft_length fft_len",
    "f_min fmin low_freq lower_edge_hertz f_low",
    "f_max fmax high_freq upper_edge_hertz f_high",
    "n_mels n_mel mels num_mel_bins n_mel_bins nb_mels",
    "channels n_channels num_channels nchannels",
    "channel mono",
    "threads jobs n_threads num_threads n_jobs workers num_workers intra_op_num_threads",
    "providers provider execution_providers ep backend",
    "labels classes class_names names categories",
    "batch batch_size",
    "device source microphone mic input",
    "outputs output output_names",
    "path file filename model_path",
    "progress callback",
    "buffer_s buffer buffer_size",
};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

bool has_word(std::string_view line, const std::string& word) {
  return (" " + std::string(line) + " ").find(" " + word + " ") != std::string::npos;
}

/// Returns the known name that means the same as `got`, or "".
std::string synonym(const std::string& got, const std::vector<std::string>& known) {
  for (const std::string_view line : kSynonyms) {
    if (!has_word(line, got)) continue;
    for (const std::string& name : known) {
      if (has_word(line, name)) return name;
    }
  }
  return "";
}

/// Returns the only known name that begins with `got`, or "".
std::string completed(const std::string& got, const std::vector<std::string>& known) {
  constexpr std::size_t kShortest = 3;
  std::string found;
  for (const std::string& name : known) {
    if (got.size() < kShortest || !lower(name).starts_with(got)) continue;
    if (!found.empty()) return "";
    found = name;
  }
  return found;
}

std::string nearest(const std::string& got, const std::vector<std::string>& known) {
  const py::object close = py::module_::import("difflib").attr("get_close_matches");
  py::list names;
  for (const std::string& name : known) names.append(readable(lower(name)));
  const py::list near = close(readable(got), names, 1);
  if (near.empty()) return "";
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (names[i].equal(near[0])) return known[i];
  }
  return "";
}

}  // namespace

py::str readable(const std::string& text) {
  PyObject* made = PyUnicode_DecodeUTF8(text.data(), static_cast<py::ssize_t>(text.size()), "replace");
  if (made == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::str>(made);
}

std::string did_you_mean(const std::string& got, const std::vector<std::string>& known) {
  constexpr std::size_t kLongest = 100;  // nobody mistypes a longer name, and comparing takes time
  constexpr std::size_t kMost = 1000;    // nor would anyone look through more
  if (got.empty() || got.size() > kLongest) return "";
  const std::string name = lower(got);
  std::string guess = synonym(name, known);
  if (guess.empty()) guess = completed(name, known);
  if (guess.empty() && known.size() <= kMost) guess = nearest(name, known);
  return guess.empty() ? "" : "; did you mean '" + guess + "'?";
}

}  // namespace fastaudio::bindings
