/// Declares the part of ONNX Runtime's C interface that is used, because its wheel has no header.
///
/// The table of functions is frozen and only ever grows at its end, so a slot keeps its meaning in
/// all later versions. Slots were counted in onnxruntime_c_api.h (API version 22, MIT licence); the
/// self-test in onnx_runtime.cpp proves them on the library that was opened.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fastaudio::onnx {

struct OrtStatus;
struct OrtEnv;
struct OrtSession;
struct OrtSessionOptions;
struct OrtMemoryInfo;
struct OrtValue;
struct OrtRunOptions;
struct OrtAllocator;
struct OrtTypeInfo;
struct OrtTensorInfo;
struct OrtCudaOptions;

struct ApiBase {
  void* const* (*get_api)(std::uint32_t version);
  const char* (*get_version_string)();
};

/// The oldest table that has every slot below.
inline constexpr std::uint32_t kApiVersion = 22;

inline constexpr int kFail = 1;  ///< error code

// Types of a tensor's elements.
inline constexpr int kFloat = 1;
inline constexpr int kUint8 = 2;
inline constexpr int kInt8 = 3;
inline constexpr int kUint16 = 4;
inline constexpr int kInt16 = 5;
inline constexpr int kInt32 = 6;
inline constexpr int kInt64 = 7;
inline constexpr int kBool = 9;
inline constexpr int kFloat16 = 10;
inline constexpr int kDouble = 11;
inline constexpr int kUint32 = 12;
inline constexpr int kUint64 = 13;

inline constexpr int kFatalOnly = 4;       ///< logging level
inline constexpr int kArenaAllocator = 1;  ///< allocator type
inline constexpr int kDefaultMemory = 0;   ///< memory type

/// A character of a path.
#ifdef _WIN32
using PathChar = wchar_t;
#else
using PathChar = char;
#endif

/// Takes a message: a parameter, its level, category, id, place in the code, and text.
using Log = void (*)(void*, int, const char*, const char*, const char*, const char*);

/// Gives the table's slots their types.
struct Api {
  template <std::size_t slot, class F>
  struct Slot {
    F* call;
    explicit Slot(void* const* table) : call(reinterpret_cast<F*>(table[slot])) {}
    template <class... Args>
    auto operator()(Args... args) const {
      return call(args...);
    }
  };

  explicit Api(void* const* slots) : table(slots) {}

  void* const* table;  ///< comes first, because the slots below are read from it
  Slot<0, OrtStatus*(int, const char*)> create_status{table};
  Slot<1, int(const OrtStatus*)> get_error_code{table};
  Slot<2, const char*(const OrtStatus*)> get_error_message{table};
  Slot<4, OrtStatus*(Log, void*, int, const char*, OrtEnv**)> create_env_with_custom_logger{table};
  Slot<6, OrtStatus*(const OrtEnv*)> disable_telemetry_events{table};
  Slot<8, OrtStatus*(const OrtEnv*, const void*, std::size_t, const OrtSessionOptions*, OrtSession**)>
      create_session_from_array{table};
  Slot<9, OrtStatus*(OrtSession*, const OrtRunOptions*, const char* const*, const OrtValue* const*,
                     std::size_t, const char* const*, std::size_t, OrtValue**)>
      run{table};
  Slot<10, OrtStatus*(OrtSessionOptions**)> create_session_options{table};
  Slot<17, OrtStatus*(OrtSessionOptions*)> disable_mem_pattern{table};
  Slot<24, OrtStatus*(OrtSessionOptions*, int)> set_intra_op_num_threads{table};
  Slot<25, OrtStatus*(OrtSessionOptions*, int)> set_inter_op_num_threads{table};
  Slot<30, OrtStatus*(const OrtSession*, std::size_t*)> session_get_input_count{table};
  Slot<31, OrtStatus*(const OrtSession*, std::size_t*)> session_get_output_count{table};
  Slot<33, OrtStatus*(const OrtSession*, std::size_t, OrtTypeInfo**)> session_get_input_type_info{table};
  Slot<34, OrtStatus*(const OrtSession*, std::size_t, OrtTypeInfo**)> session_get_output_type_info{table};
  Slot<36, OrtStatus*(const OrtSession*, std::size_t, OrtAllocator*, char**)> session_get_input_name{table};
  Slot<37, OrtStatus*(const OrtSession*, std::size_t, OrtAllocator*, char**)> session_get_output_name{table};
  Slot<39, OrtStatus*(OrtRunOptions**)> create_run_options{table};
  Slot<46, OrtStatus*(OrtRunOptions*)> run_options_set_terminate{table};
  Slot<49, OrtStatus*(const OrtMemoryInfo*, void*, std::size_t, const std::int64_t*, std::size_t, int,
                      OrtValue**)>
      create_tensor_with_data{table};
  Slot<51, OrtStatus*(OrtValue*, void**)> get_tensor_mutable_data{table};
  Slot<55, OrtStatus*(const OrtTypeInfo*, const OrtTensorInfo**)> cast_type_info_to_tensor_info{table};
  Slot<60, OrtStatus*(const OrtTensorInfo*, int*)> get_tensor_element_type{table};
  Slot<61, OrtStatus*(const OrtTensorInfo*, std::size_t*)> get_dimensions_count{table};
  Slot<62, OrtStatus*(const OrtTensorInfo*, std::int64_t*, std::size_t)> get_dimensions{table};
  Slot<65, OrtStatus*(const OrtValue*, OrtTensorInfo**)> get_tensor_type_and_shape{table};
  Slot<69, OrtStatus*(int, int, OrtMemoryInfo**)> create_cpu_memory_info{table};
  Slot<76, OrtStatus*(OrtAllocator*, void*)> allocator_free{table};
  Slot<78, OrtStatus*(OrtAllocator**)> get_allocator_with_default_options{table};
  Slot<92, void(OrtEnv*)> release_env{table};
  Slot<93, void(OrtStatus*)> release_status{table};
  Slot<94, void(OrtMemoryInfo*)> release_memory_info{table};
  Slot<95, void(OrtSession*)> release_session{table};
  Slot<96, void(OrtValue*)> release_value{table};
  Slot<97, void(OrtRunOptions*)> release_run_options{table};
  Slot<98, void(OrtTypeInfo*)> release_type_info{table};
  Slot<99, void(OrtTensorInfo*)> release_tensor_info{table};
  Slot<100, void(OrtSessionOptions*)> release_session_options{table};
  Slot<125, OrtStatus*(char***, int*)> get_available_providers{table};
  Slot<126, OrtStatus*(char**, int)> release_available_providers{table};
  Slot<130, OrtStatus*(OrtSessionOptions*, const char*, const char*)> add_session_config_entry{table};
  Slot<204, OrtStatus*(OrtSessionOptions*, const OrtCudaOptions*)> append_cuda{table};
  Slot<205, OrtStatus*(OrtCudaOptions**)> create_cuda_options{table};
  Slot<206, OrtStatus*(OrtCudaOptions*, const char* const*, const char* const*, std::size_t)>
      update_cuda_options{table};
  Slot<208, void(OrtCudaOptions*)> release_cuda_options{table};
  Slot<216, OrtStatus*(OrtSessionOptions*, const char*, const char* const*, const char* const*, std::size_t)>
      append_execution_provider{table};
  Slot<279,
       OrtStatus*(OrtSessionOptions*, const PathChar* const*, char* const*, const std::size_t*, std::size_t)>
      add_external_initializers{table};
  Slot<293, OrtStatus*(OrtSessionOptions*, bool)> set_load_cancellation_flag{table};
};

}  // namespace fastaudio::onnx
