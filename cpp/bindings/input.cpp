#include "bindings/input.hpp"

#include <cstdint>
#include <string_view>

namespace fastaudio::bindings {

namespace {

std::string describe(const py::array& array) {
  std::string shape;
  for (py::ssize_t i = 0; i < array.ndim(); ++i) shape += (i ? ", " : "") + std::to_string(array.shape(i));
  if (array.ndim() == 1) shape += ",";
  return py::cast<std::string>(py::str(array.dtype())) + " (" + shape + ")";
}

/// "[n_samples]", "[n_samples, 2]", "[n_rows, 96]".
std::string expected_shape(const StreamSpec& spec) {
  std::string text = takes_samples(spec) ? "[n_samples" : "[n_rows";
  for (const std::int64_t n : spec.shape) text += ", " + std::to_string(n);
  return text + "]";
}

py::module_ numpy() { return py::module_::import("numpy"); }

std::string module_of(py::handle value) {
  const auto name = py::cast<std::string>(py::str(py::type::of(value).attr("__module__")));
  return name.substr(0, name.find('.'));
}

/// The largest magnitude among integers.
double peak(const py::array& array) {
  if (array.size() == 0) return 0;
  const auto least = py::cast<double>(py::float_(array.attr("min")()));
  const auto most = py::cast<double>(py::float_(array.attr("max")()));
  return std::max(-least, most);
}

/// Python code that makes samples of integers, given the code that gives them. Their full scale follows from
/// their type. But many programs keep values of 16 bits in wider integers, and what isn't even as loud as the
/// last bit of 16 would be no sound. The same holds for 24 bits.
std::string from_integers(const py::array& array, const std::string& code) {
  const auto floats = [&](const std::string& power) {
    return "(" + code + " / " + power + ").astype(\"float32\")";
  };
  const std::string bits16 = code + ".astype(\"int16\")";
  const py::ssize_t size = array.dtype().itemsize();
  if (array.dtype().kind() == 'u') {
    constexpr std::string_view kHalf[] = {"128", "32768", "2**31", "2**63"};
    const std::string half(kHalf[size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : 3]);
    return "(" + code + " / " + half + " - 1).astype(\"float32\")";
  }
  if (size == 1) return floats("128");
  if (size == 2) return bits16;  // in the other order of bytes
  const double loudest = peak(array);
  const bool fits_16_bits = loudest > 0 && loudest <= 32768;
  const bool fits_24_bits = loudest > 32768 && loudest <= 8388608;
  const std::string wide = floats(size == 4 || loudest <= 2147483648.0 ? "2**31" : "2**63");
  if (fits_24_bits) {
    return floats("2**23") + " for values of 24 bits, as these are, or " + wide +
           " for a full scale of 2**31";
  }
  return fits_16_bits
             ? bits16 + " for values of 16 bits, as these are, or " + wide + " for a full scale of 2**31"
             : wide + ", or " + bits16 + " if the values have 16 bits";
}

/// What makes float32 of an array, given the code that gives it; "" if nothing does.
std::string conversion(const py::array& array, const std::string& code, bool of_samples) {
  const char kind = array.dtype().kind();
  if (kind == 'i' || kind == 'u') {
    return of_samples ? from_integers(array, code) : code + ".astype(\"float32\")";
  }
  if (kind == 'b' && of_samples) return "";  // what is only there or not there is no sound
  if (kind == 'f' || kind == 'b') return code + ".astype(\"float32\")";
  if (kind == 'c') {
    return of_samples ? code + ".real.astype(\"float32\"), since sound has no imaginary part"
                      : "abs(" + code + ").astype(\"float32\") for magnitudes, or (abs(" + code +
                            ") ** 2).astype(\"float32\") for power";
  }
  if (kind != 'O') return "";
  try {  // objects: perhaps numbers
    const py::array numbers = numpy().attr("array")(array.attr("tolist")());
    if (numbers.dtype().kind() == 'O' || numbers.ndim() != array.ndim()) return "";
    return conversion(numbers, "numpy.array(" + code + ".tolist())", of_samples);
  } catch (const py::error_already_set&) {
    return "";
  }
}

bool is_ready(const py::array& array, bool takes_int) {
  return array.dtype().equal(py::dtype::of<float>()) ||
         (takes_int && array.dtype().equal(py::dtype::of<std::int16_t>()));
}

std::string use(const std::string& code) { return code.empty() ? "" : "; use " + code; }

/// Python code that makes an array of something else, and the array; "" if there is none.
std::pair<std::string, py::object> as_array(py::handle value, const std::string& name) {
  const auto has = [&](const char* attribute) { return py::hasattr(value, attribute); };
  py::object made;
  std::string code;
  if (has("detach") && has("cpu") && has("numpy")) {  // a tensor of PyTorch
    code = name + ".detach().cpu()";
    made = value.attr("detach")().attr("cpu")();
    if (py::cast<std::string>(py::str(made.attr("dtype"))).ends_with("bfloat16")) {  // NumPy lacks it
      code += ".float()";
      made = made.attr("float")();
    }
    return {code + ".numpy()", made.attr("numpy")()};
  }
  if (module_of(value) == "cupy") return {name + ".get()", value.attr("get")()};
  if (has("to_numpy")) return {name + ".to_numpy()", value.attr("to_numpy")()};
  const bool is_list = py::isinstance<py::list>(value) || py::isinstance<py::tuple>(value);
  if (is_list || has("__array__") || has("__array_interface__") || PyObject_CheckBuffer(value.ptr())) {
    made = numpy().attr("asarray")(value);
    const bool floats = made.cast<py::array>().dtype().kind() == 'f';
    if (is_list && floats) {
      code = "numpy.asarray(" + name + ", dtype=\"float32\")";
      return {code, numpy().attr("asarray")(value, py::arg("dtype") = "float32")};
    }
    return {"numpy.asarray(" + name + ")", made};
  }
  if (has("__dlpack__")) return {"numpy.from_dlpack(" + name + ")", numpy().attr("from_dlpack")(value)};
  return {"", py::none()};
}

/// What to do with something that isn't an array.
std::string remedy_for(py::handle value, const StreamSpec& input) {
  const std::string name = subject_of(input);
  if (PyBytes_Check(value.ptr()) || PyByteArray_Check(value.ptr()) || PyMemoryView_Check(value.ptr())) {
    return "; use numpy.frombuffer(" + name + ", \"" + (takes_samples(input) ? "<i2" : "<f4") +
           "\") if they are raw values of that type";
  }
  if (py::isinstance<py::str>(value) || py::hasattr(value, "__fspath__") || py::hasattr(value, "read")) {
    return "; fastaudio.Pipeline(node) reads files";
  }
  try {
    const auto [code, made] = as_array(value, name);
    if (code.empty()) return "";
    const auto array = made.cast<py::array>();
    if (array.ndim() == 0) return use("numpy.atleast_1d(" + name + ")");
    return use(is_ready(array, takes_samples(input)) ? code : conversion(array, code, takes_samples(input)));
  } catch (const std::exception&) {  // it can't become an array: one that is ragged, for instance
    return "";
  }
}

/// Which part of an array of too many axes to take, or how to turn it.
std::string remedy_for_shape(const py::array& array, const StreamSpec& input, bool has_channels) {
  const std::string name = subject_of(input);
  const auto rank = static_cast<py::ssize_t>(input.shape.size()) + 1;
  if (array.ndim() == 0 && rank == 1) return "; use numpy.atleast_1d(" + name + ")";
  if (array.ndim() == rank && rank == 2 && array.shape(0) == input.shape[0]) return "; use " + name + ".T";
  if (takes_samples(input) && rank == 1 && array.ndim() == 2) {
    const bool channels_first = array.shape(0) < array.shape(1);
    const py::ssize_t n_channels = array.shape(channels_first ? 0 : 1);
    constexpr py::ssize_t kMost = 64;
    if (has_channels && array.size() > 0 && n_channels > 1 && n_channels <= kMost) {
      // One of them, or their mean, would give another result.
      return "; make the node with channels=" + std::to_string(n_channels) +
             (channels_first ? ", and use " + name + ".T" : "");
    }
    const std::string mean = name + ".mean(axis=" + (channels_first ? "0" : "1") + ")";
    const bool is_int = array.dtype().kind() == 'i';
    return "; choose one channel, or average them: " + name + (channels_first ? "[0]" : "[:, 0]") + " or " +
           (is_int ? "(" + mean + " / 32768).astype(\"float32\")" : mean);
  }
  if (array.ndim() > rank) {
    std::string first = "0";
    for (py::ssize_t i = rank + 1; i < array.ndim(); ++i) first += ", 0";
    return "; pass one signal at a time, such as " + name + "[" + first + "]";
  }
  return "";
}

bool has_shape(const py::array& array, const StreamSpec& input) {
  if (array.ndim() != static_cast<py::ssize_t>(input.shape.size()) + 1) return false;
  for (std::size_t i = 0; i < input.shape.size(); ++i) {
    if (array.shape(static_cast<py::ssize_t>(i) + 1) != input.shape[i]) return false;
  }
  return true;
}

/// Whether it is taken as it is, without looking closer: float32 in the order of rows, as blocks of sound
/// mostly are.
bool is_plain(const py::object& rows, const StreamSpec& input) {
  if (Py_TYPE(rows.ptr()) != py::detail::npy_api::get().PyArray_Type_) return false;
  const auto array = py::reinterpret_borrow<py::array>(rows);
  constexpr int kFlags = int{py::array::c_style} | int{py::detail::npy_api::NPY_ARRAY_ALIGNED_};
  const py::dtype type = array.dtype();
  return type.num() == py::detail::npy_api::NPY_FLOAT_ && type.byteorder() == '=' &&
         (array.flags() & kFlags) == kFlags && has_shape(array, input);
}

/// Whether some values of a masked array are masked.
bool is_masked(const py::array& array) {
  if (Py_TYPE(array.ptr()) == py::detail::npy_api::get().PyArray_Type_) return false;
  return py::cast<bool>(py::module_::import("numpy.ma").attr("is_masked")(array));
}

}  // namespace

py::array checked_rows(const py::object& rows, const StreamSpec& input, bool has_channels) {
  if (is_plain(rows, input)) return py::reinterpret_borrow<py::array>(rows);
  const std::string subject = subject_of(input);
  const bool takes_int = takes_samples(input);
  const std::string types = takes_int ? "float32 or int16" : "float32";
  if (!py::isinstance<py::array>(rows)) {
    const auto type = py::cast<std::string>(py::type::of(rows).attr("__name__"));
    throw TypeError(subject + ": expected a numpy array of " + types + ", got " + type +
                    remedy_for(rows, input));
  }
  auto array = rows.cast<py::array>();
  if (!is_ready(array, takes_int)) {
    throw TypeError(subject + ": expected " + types + " " + expected_shape(input) + ", got " +
                    describe(array) + use(conversion(array, subject, takes_int)));
  }
  if (is_masked(array)) {
    throw ValueError(subject + ": expected an array without a mask, got masked values; use " + subject +
                     ".filled(0)");
  }
  if (!has_shape(array, input)) {
    throw ValueError(subject + ": expected " + expected_shape(input) + ", got " + describe(array) +
                     remedy_for_shape(array, input, has_channels));
  }
  auto contiguous =
      py::array::ensure(array, int{py::array::c_style} | int{py::detail::npy_api::NPY_ARRAY_ALIGNED_});
  if (!contiguous) throw std::bad_alloc();
  return contiguous;
}

std::string samples_remedy(const py::object& value) { return remedy_for(value, StreamSpec::samples(1)); }

std::string scale_warning(const std::string& name) {
  return name + ": expected samples with a full scale of +-1, got some beyond +-" +
         std::to_string(static_cast<int>(Loudness::kLoudest)) +
         "; if their scale is that of int16, use samples / 32768";
}

}  // namespace fastaudio::bindings
