# The Python extension, and what a wheel holds besides.
find_package(Python REQUIRED COMPONENTS Interpreter Development.Module)
find_package(pybind11 CONFIG REQUIRED)

# pip installs pybind11 into a folder that is new each time, and the path is part of every command. A copy at
# a fixed path, whose files change only with their content, keeps the commands and the objects valid.
set(pybind11_copy "${PROJECT_BINARY_DIR}/pybind11/include")
file(GLOB_RECURSE pybind11_files RELATIVE "${pybind11_INCLUDE_DIR}" "${pybind11_INCLUDE_DIR}/pybind11/*.h")
foreach(header ${pybind11_files})
  configure_file("${pybind11_INCLUDE_DIR}/${header}" "${pybind11_copy}/${header}" COPYONLY)
endforeach()
set_target_properties(pybind11::pybind11_headers PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${pybind11_copy}"
                      INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${pybind11_copy}")

file(GLOB binding_sources CONFIGURE_DEPENDS bindings/*.cpp)
# Each header of nodes gets a source of its own, so that editing one compiles little else.
foreach(header ${node_headers})
  string(REGEX REPLACE "^nodes/(.*)\\.hpp$" "${CMAKE_CURRENT_BINARY_DIR}/bindings/\\1.cpp" source "${header}")
  set(content "#include \"${header}\"\n\n#include \"bindings/nodes.hpp\"\n\n")
  foreach(class ${classes_in_${header}})
    string(APPEND content "template void fastaudio::bindings::bind_listed<fastaudio::${class}>(pybind11::module_&);\n")
  endforeach()
  file(CONFIGURE OUTPUT "${source}" CONTENT "${content}")
  list(APPEND node_sources "${source}")
endforeach()
pybind11_add_module(_core NO_EXTRAS ${binding_sources} ${node_sources})
if(NOT SKBUILD_STATE STREQUAL "editable")
  # Where no header will be edited, eight at a time take a third of the time.
  set_target_properties(_core PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
endif()
target_link_libraries(_core PRIVATE fastaudio_core)
target_precompile_headers(_core PRIVATE bindings/options.hpp)
if(FASTAUDIO_SANITIZE)
  target_compile_options(_core PRIVATE -O0)
elseif(NOT MSVC)
  target_compile_options(_core PRIVATE -O1 -g0)  # glue: the time to build it is what counts
endif()
target_compile_definitions(_core PRIVATE FASTAUDIO_VERSION="${SKBUILD_PROJECT_VERSION}")
install(TARGETS _core DESTINATION fastaudio)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/models/ DESTINATION fastaudio/_models
        FILES_MATCHING PATTERN "*.onnx" PATTERN "card.json" PATTERN "LICENSE" PATTERN "recipes" EXCLUDE)

# After an editable install, building is enough: what was built and the models replace what pip installed.
if(SKBUILD_STATE STREQUAL "editable")
  add_custom_target(editable ALL DEPENDS _core COMMENT "Updating the editable install"
                    COMMAND ${CMAKE_COMMAND} -D FROM=${PROJECT_BINARY_DIR} -D TO=${Python_SITEARCH} -D CONFIG=$<CONFIG>
                            -P ${CMAKE_CURRENT_SOURCE_DIR}/update_editable.cmake)
endif()
