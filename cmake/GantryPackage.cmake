# The Debian package: `./dev package`.
include(GNUInstallDirs)
install(TARGETS gantry RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES packaging/gantry.service DESTINATION lib/systemd/system)
install(FILES packaging/gantry.sysusers DESTINATION lib/sysusers.d RENAME gantry.conf)
install(FILES packaging/gantry.tmpfiles DESTINATION lib/tmpfiles.d RENAME gantry.conf)
install(FILES packaging/gantry.toml DESTINATION /etc/gantry)
install(PROGRAMS packaging/fix-docker-permissions.sh DESTINATION ${CMAKE_INSTALL_DATADIR}/gantry)
install(FILES README.md README.zh-CN.md CHANGELOG.md SECURITY.md docs/operating.md
  docs/doctor.md docs/docker-permissions.md docs/metrics.md packaging/grafana/gantry.json LICENSE
  DESTINATION ${CMAKE_INSTALL_DOCDIR})

# Each shell looks for completions in a folder of its own, by the command's name.
set(completion_files
  "bash:${CMAKE_INSTALL_DATADIR}/bash-completion/completions:gantry"
  "zsh:${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions:_gantry"
  "fish:${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d:gantry.fish")
foreach(completion ${completion_files})
  string(REPLACE ":" ";" completion ${completion})
  list(GET completion 0 shell)
  list(GET completion 1 folder)
  list(GET completion 2 name)
  set(script ${CMAKE_BINARY_DIR}/completion/${name})
  add_custom_command(OUTPUT ${script}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/completion
    COMMAND gantry completion ${shell} > ${script}
    DEPENDS gantry VERBATIM)
  list(APPEND completion_scripts ${script})
  install(FILES ${script} DESTINATION ${folder})
endforeach()
add_custom_target(completions ALL DEPENDS ${completion_scripts})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME gantry)
set(CPACK_PACKAGE_CONTACT "Gantry maintainers <maintainers@gantry.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "self-hosted control plane for Docker hosts")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# postinst makes the account with systemd-sysusers.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "systemd | systemd-standalone-sysusers, openssh-client")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "docker.io | docker-ce, ca-certificates, mmdebstrap, bubblewrap")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  "${CMAKE_SOURCE_DIR}/packaging/postinst;${CMAKE_SOURCE_DIR}/packaging/prerm;${CMAKE_SOURCE_DIR}/packaging/conffiles")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
