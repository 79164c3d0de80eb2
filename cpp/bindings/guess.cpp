#include "bindings/guess.hpp"

#include <algorithm>
#include <bitset>
#include <cctype>
#include <string_view>
#include <utility>

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

constexpr std::size_t kLongest = 100;  // nobody mistypes a longer name, and comparing takes time

/// Returns the indices of the names that share the most pairs of letters with `got`, for their lengths.
std::vector<std::size_t> by_pairs(const std::string& got, const std::vector<std::string>& known,
                                  std::size_t n) {
  const auto pair_at = [](const std::string& name, std::size_t i) {
    const auto lower_at = [&](std::size_t at) { return std::tolower(static_cast<unsigned char>(name[at])); };
    return static_cast<std::size_t>(lower_at(i) << 8 | lower_at(i + 1));
  };
  std::bitset<1 << 16> pairs;
  for (std::size_t i = 0; i + 1 < got.size(); ++i) pairs.set(pair_at(got, i));
  std::vector<std::pair<double, std::size_t>> found;  // sorts the likest first, and equals in their order
  for (std::size_t k = 0; k < known.size(); ++k) {
    const std::string& name = known[k];
    if (name.empty() || name.size() > kLongest) continue;
    std::size_t shared = 0;
    for (std::size_t i = 0; i + 1 < name.size(); ++i) shared += pairs[pair_at(name, i)] ? 1 : 0;
    found.emplace_back(-static_cast<double>(shared) / static_cast<double>(name.size() + got.size()), k);
  }
  n = std::min(n, found.size());
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(n), found.end());
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < n; ++i) indices.push_back(found[i].second);
  return indices;
}

}  // namespace

std::vector<std::string> likest(const std::string& got, const std::vector<std::string>& known,
                                std::size_t n) {
  constexpr std::size_t kCompared = 200;  // difflib takes some 0.1 ms for each
  if (got.empty() || got.size() > kLongest) return {};
  const std::string name = lower(got);
  const auto indices = by_pairs(got, known, kCompared);
  py::list names;
  for (const std::size_t i : indices) names.append(readable(lower(known[i])));
  const py::list near = py::module_::import("difflib").attr("get_close_matches")(readable(name), names, n);
  std::vector<std::string> found;
  std::vector<char> taken(indices.size(), 0);  // two may differ in capitals only
  for (std::size_t k = 0; k < near.size(); ++k) {
    std::size_t i = 0;
    while (taken[i] != 0 || !names[i].equal(near[k])) ++i;
    taken[i] = 1;
    found.push_back(known[indices[i]]);
  }
  return found;
}

std::vector<std::string> holding(const std::string& part, const std::vector<std::string>& known,
                                 std::size_t n) {
  const std::string text = lower(part);
  std::vector<std::string> found;
  for (const std::string& name : known) {
    if (found.size() == n || text.empty()) break;
    if (name.size() <= kLongest && lower(name).find(text) != std::string::npos) found.push_back(name);
  }
  return found;
}

py::str readable(const std::string& text) {
  PyObject* made = PyUnicode_DecodeUTF8(text.data(), static_cast<py::ssize_t>(text.size()), "replace");
  if (made == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::str>(made);
}

std::string did_you_mean(const std::string& got, const std::vector<std::string>& known) {
  if (got.empty() || got.size() > kLongest) return "";
  const std::string name = lower(got);
  std::string guess = synonym(name, known);
  if (guess.empty()) guess = completed(name, known);
  if (guess.empty()) {
    const auto near = likest(got, known, 1);
    if (!near.empty()) guess = near.front();
  }
  return guess.empty() ? "" : "; did you mean '" + guess + "'?";
}

}  // namespace fastaudio::bindings
