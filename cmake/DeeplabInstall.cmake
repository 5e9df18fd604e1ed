# install: the library, its headers, find_package(deeplab) and pkg-config, and the command.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/deeplab)
install(TARGETS deeplab EXPORT deeplabTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/deeplab DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT deeplabTargets NAMESPACE deeplab:: DESTINATION ${package_dir})

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/deeplabConfig.cmake.in
  ${PROJECT_BINARY_DIR}/deeplabConfig.cmake INSTALL_DESTINATION ${package_dir}
  NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/deeplabConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/deeplabConfig.cmake
              ${PROJECT_BINARY_DIR}/deeplabConfigVersion.cmake
        DESTINATION ${package_dir})

# Paths relative to the .pc file, so that an unpacked tree works wherever it lies.
file(RELATIVE_PATH prefix_from_pc /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
set(zlib_of_pc "")
if(DEEPLAB_WITH_ZLIB)
  set(zlib_of_pc "-lz ")
endif()
configure_file(${PROJECT_SOURCE_DIR}/cmake/deeplab.pc.in ${PROJECT_BINARY_DIR}/deeplab.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/deeplab.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${PROJECT_SOURCE_DIR}/NOTICE DESTINATION ${CMAKE_INSTALL_DOCDIR})
if(TARGET deeplab_cli)
  install(TARGETS deeplab_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(FILES ${PROJECT_SOURCE_DIR}/models/deeplab.tflite
          DESTINATION ${CMAKE_INSTALL_DATADIR}/deeplab)
  install(DIRECTORY ${PROJECT_BINARY_DIR}/manual/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1
          FILES_MATCHING PATTERN "*.1")
  install(FILES ${PROJECT_BINARY_DIR}/manual/deeplab.bash RENAME deeplab
          DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES ${PROJECT_BINARY_DIR}/manual/deeplab.zsh RENAME _deeplab
          DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
  install(FILES ${PROJECT_BINARY_DIR}/manual/deeplab.fish
          DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
endif()
if(TARGET deeplab_video_program)
  install(TARGETS deeplab_video_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
if(TARGET deeplab_train_program)
  install(TARGETS deeplab_train_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
if(TARGET gstdeeplab)
  install(TARGETS gstdeeplab LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/gstreamer-1.0)
endif()
