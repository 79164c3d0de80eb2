# Nodes are listed once, in nodes/all.hpp. This reads the classes off the headers that it includes, and writes
# nodes/list.hpp: their names without their headers, so that what needs the names isn't compiled with each of them.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS nodes/all.hpp)
set(node_list_folder "${CMAKE_CURRENT_BINARY_DIR}/generated")
file(STRINGS nodes/all.hpp node_headers REGEX "^#include \"nodes/")
list(TRANSFORM node_headers REPLACE "^#include \"(.*)\"$" "\\1")
set(node_types "")
foreach(header ${node_headers})
  file(STRINGS ${header} classes REGEX "^class [A-Za-z0-9]+ final : public NodeOf")
  list(TRANSFORM classes REPLACE "^class ([A-Za-z0-9]+) .*" "\\1")
  set(classes_in_${header} ${classes})
  foreach(class ${classes})
    list(APPEND node_types "std::type_identity<class ${class}>")
  endforeach()
endforeach()
list(JOIN node_types ",\n    " node_types)
file(CONFIGURE OUTPUT "${node_list_folder}/nodes/list.hpp" CONTENT "#pragma once

#include <tuple>
#include <type_traits>

namespace fastaudio {

/// All nodes, by their types' names.
using AllNodes = std::tuple<
    ${node_types}>;

}  // namespace fastaudio
")
