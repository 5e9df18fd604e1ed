# The library: the core rooms' objects in one file, with the public headers as its only face.
add_library(deeplab)
add_library(deeplab::deeplab ALIAS deeplab)
foreach(room IN LISTS DEEPLAB_CORE_ROOMS)
  target_sources(deeplab PRIVATE $<TARGET_OBJECTS:deeplab_${room}>)
endforeach()
target_compile_features(deeplab INTERFACE cxx_std_20)  # deeplab.hpp; deeplab.h is C99
set(library_directory ${CMAKE_CURRENT_BINARY_DIR})
if(PROJECT_IS_TOP_LEVEL)
  set(library_directory ${PROJECT_BINARY_DIR}/lib)
endif()
set_target_properties(deeplab PROPERTIES
  LINKER_LANGUAGE CXX
  LIBRARY_OUTPUT_DIRECTORY ${library_directory} ARCHIVE_OUTPUT_DIRECTORY ${library_directory}
  VERSION ${PROJECT_VERSION}
  # Before 1.0 a minor version may change the interface.
  SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
target_include_directories(deeplab PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                                          $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(deeplab PRIVATE Threads::Threads $<BUILD_INTERFACE:deeplab_flags>)
if(DEEPLAB_WITH_ZLIB)
  target_link_libraries(deeplab PRIVATE ZLIB::ZLIB)
endif()

get_target_property(library_type deeplab TYPE)
if(library_type STREQUAL "SHARED_LIBRARY")
  # Hidden visibility leaves instantiated std:: templates visible; the script does not.
  set(exports ${PROJECT_SOURCE_DIR}/cmake/deeplab.map)
  target_link_options(deeplab PRIVATE LINKER:--version-script=${exports})
  set_property(TARGET deeplab APPEND PROPERTY LINK_DEPENDS ${exports})
endif()
