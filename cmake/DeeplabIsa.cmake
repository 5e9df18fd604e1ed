# deeplab_isa_sources(ROOM FILE...): adds the kernels of instruction sets to a room. The end of a
# file's name says of which one: conv2d/int8_avx2.cc is compiled with the flags of "avx2". Those of
# other architectures are left out. The sets and their flags are those of src/base/isa_list.h.
#
# The files hold intrinsics and plain C-like code only: an inline standard function instantiated
# there could be the copy that the linker keeps for every CPU.

set(isa_list ${PROJECT_SOURCE_DIR}/src/base/isa_list.h)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${isa_list})
file(READ ${isa_list} text)
if(DEEPLAB_SCALAR_ONLY)
  set(architecture none)
elseif(EMSCRIPTEN)
  set(architecture WASM)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(architecture X86)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  set(architecture ARM)
else()
  set(architecture none)
endif()

set(DEEPLAB_ISAS "")  # Names with flags, of this build
set(DEEPLAB_FOREIGN_ISAS "")
string(REGEX MATCHALL "(X86|ARM|WASM), \"[a-z0-9_]+\",[^\"]*\"[^\"]*\"" entries "${text}")
foreach(entry IN LISTS entries)
  string(REGEX MATCH "(X86|ARM|WASM), \"([a-z0-9_]+)\",[^\"]*\"([^\"]*)\"" entry "${entry}")
  if(CMAKE_MATCH_1 STREQUAL architecture)
    list(APPEND DEEPLAB_ISAS ${CMAKE_MATCH_2})
    string(REPLACE " " ";" DEEPLAB_ISA_FLAGS_${CMAKE_MATCH_2} "${CMAKE_MATCH_3}")
  else()
    list(APPEND DEEPLAB_FOREIGN_ISAS ${CMAKE_MATCH_2})
  endif()
endforeach()

function(deeplab_isa_sources room)
  foreach(file IN LISTS ARGN)
    set(found FALSE)
    foreach(isa IN LISTS DEEPLAB_ISAS DEEPLAB_FOREIGN_ISAS)
      if(file MATCHES "(^|[/_])${isa}\\.cc$")
        set(found TRUE)
        if(isa IN_LIST DEEPLAB_ISAS)
          target_sources(deeplab_${room} PRIVATE ${file})
          set_source_files_properties(${file} PROPERTIES
            COMPILE_OPTIONS "${DEEPLAB_ISA_FLAGS_${isa}}" SKIP_PRECOMPILE_HEADERS ON)
        endif()
      endif()
    endforeach()
    if(NOT found)
      message(FATAL_ERROR "${file} ends in no instruction set of src/base/isa_list.h")
    endif()
  endforeach()
endfunction()
