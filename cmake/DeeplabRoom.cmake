# deeplab_room(NAME [SMALL] [SEPARATE] [OPS] SOURCES ... [LINKS ...] [LINKS_OUTSIDE ...]): one folder under src/ as
# one target, deeplab_NAME. LINKS are rooms; LINKS_OUTSIDE are libraries, private to the room. SMALL: it runs once
# per model, photo or page, never per pixel, so a release is optimized for size. SEPARATE: its SOURCES use the
# same names for their own functions, so each is compiled alone. OPS: it has a folder ops/ with a file for each
# op, or for each family of them, which are found without a list.

add_library(deeplab_flags INTERFACE)
target_compile_features(deeplab_flags INTERFACE cxx_std_20)
target_compile_options(deeplab_flags INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion
  $<$<CXX_COMPILER_ID:Clang>:-Wno-unknown-warning-option>  # Some files turn off warnings of GCC alone
  # Identical bytes on every ISA: never let the compiler fuse a multiply and an add by itself.
  -ffp-contract=off
  # The linker drops each function that nothing calls.
  -ffunction-sections -fdata-sections)
# Not under GCC's sanitizers: their instrumentation makes it see uninitialized values in <regex>.
if(DEEPLAB_WERROR AND NOT (DEEPLAB_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU"))
  target_compile_options(deeplab_flags INTERFACE -Werror)
endif()
if(DEEPLAB_SANITIZE)
  target_compile_options(deeplab_flags INTERFACE -fsanitize=${DEEPLAB_SANITIZE}
    -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(deeplab_flags INTERFACE -fsanitize=${DEEPLAB_SANITIZE})
endif()
if(DEEPLAB_SCALAR_ONLY)
  target_compile_definitions(deeplab_flags INTERFACE DEEPLAB_SCALAR_ONLY)
endif()

# deeplab_count_lines(TARGET): with DEEPLAB_COVERAGE, the target's sources say which of their lines ran.
# Of tests nobody wants to know.
if(DEEPLAB_COVERAGE)
  target_link_options(deeplab_flags INTERFACE --coverage)
endif()
function(deeplab_count_lines target)
  if(DEEPLAB_COVERAGE)
    target_compile_options(${target} PRIVATE --coverage -O1 -fprofile-update=prefer-atomic)
  endif()
endfunction()

set(room_properties POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden C_VISIBILITY_PRESET hidden
  VISIBILITY_INLINES_HIDDEN ON CXX_EXTENSIONS OFF)

# What most rooms include anyway, read once.
foreach(kind rooms small_rooms)
  add_library(deeplab_headers_${kind} OBJECT ${PROJECT_SOURCE_DIR}/src/headers.cc)
  set_target_properties(deeplab_headers_${kind} PROPERTIES ${room_properties})
  target_link_libraries(deeplab_headers_${kind} PRIVATE deeplab_flags)
  target_precompile_headers(deeplab_headers_${kind} PRIVATE
    <algorithm> <array> <cmath> <functional> <memory> <optional> <span> <string> <variant> <vector>)
endforeach()
set(small $<$<CONFIG:Release>:-Os>)
target_compile_options(deeplab_headers_small_rooms PRIVATE ${small})

function(deeplab_room name)
  cmake_parse_arguments(ROOM "SMALL;SEPARATE;OPS" "" "SOURCES;LINKS;LINKS_OUTSIDE" ${ARGN})
  set(ops)
  if(ROOM_OPS)
    file(GLOB ops RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} CONFIGURE_DEPENDS ops/*.cc)
  endif()
  add_library(deeplab_${name} STATIC ${ROOM_SOURCES} ${ops})
  set_target_properties(deeplab_${name} PROPERTIES ${room_properties})
  if(ROOM_SEPARATE AND NOT ROOM_OPS)
    set_target_properties(deeplab_${name} PROPERTIES UNITY_BUILD OFF)
  elseif(ROOM_SEPARATE)
    set_source_files_properties(${ROOM_SOURCES} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endif()
  if(ROOM_SMALL)
    target_compile_options(deeplab_${name} PRIVATE ${small})
    target_precompile_headers(deeplab_${name} REUSE_FROM deeplab_headers_small_rooms)
  else()
    target_precompile_headers(deeplab_${name} REUSE_FROM deeplab_headers_rooms)
  endif()
  target_include_directories(deeplab_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src
                                                    ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(deeplab_${name} PUBLIC deeplab_flags PRIVATE ${ROOM_LINKS_OUTSIDE})
  foreach(room ${ROOM_LINKS})
    target_link_libraries(deeplab_${name} PRIVATE deeplab_${room})
  endforeach()
  deeplab_count_lines(deeplab_${name})
endfunction()
