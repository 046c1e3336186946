# What Debian wants otherwise than `cmake --install` has it; CPack runs this over the tree before it packs it.
if(NOT CPACK_GENERATOR STREQUAL "DEB")
  return()
endif()
set(usr ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr)
set(doc ${usr}/share/doc/mopo)
set(source ${CMAKE_CURRENT_LIST_DIR}/..)

# Where its zsh looks.
if(EXISTS ${usr}/share/zsh)
  file(RENAME ${usr}/share/zsh/site-functions ${usr}/share/zsh/vendor-completions)
endif()

# Its linker finds its own libraries, also where the administrator chose another BLAS.
file(READ_ELF ${usr}/bin/mopo RUNPATH path)
list(FILTER path EXCLUDE REGEX "^/usr/lib/")
if(NOT path)
  file(RPATH_REMOVE FILE ${usr}/bin/mopo)
endif()

# The license as a copyright file, the changes as changelogs; both and the pages compressed.
file(STRINGS ${source}/LICENSE lines)
set(license "")
foreach(line IN LISTS lines)
  if(line STREQUAL "")
    set(line ".")
  endif()
  string(APPEND license " ${line}\n")
endforeach()
string(REGEX REPLACE "^ MIT License\n \\.\n Copyright[^\n]*\n \\.\n" "" license "${license}")
file(STRINGS ${source}/LICENSE holder REGEX "^Copyright" LIMIT_COUNT 1)
string(REPLACE "Copyright (c) " "" holder "${holder}")
file(WRITE ${doc}/copyright "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\
Upstream-Name: mopo\n\nFiles: *\nCopyright: ${holder}\nLicense: Expat\n${license}")
file(REMOVE ${doc}/LICENSE)

set(date $ENV{SOURCE_DATE_EPOCH})
if(NOT date)
  execute_process(COMMAND git -C ${source} log -1 --format=%ct OUTPUT_VARIABLE date OUTPUT_STRIP_TRAILING_WHITESPACE
    ERROR_QUIET)
endif()
if(date)
  set(ENV{SOURCE_DATE_EPOCH} ${date})
endif()
set(ENV{LC_ALL} C)
string(TIMESTAMP day "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(RENAME ${doc}/CHANGELOG.md ${doc}/changelog)
file(WRITE ${doc}/changelog.Debian
  "mopo (${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) unstable; urgency=medium\n\n\
  * What changed in mopo itself is in changelog.gz.\n\n -- ${CPACK_PACKAGE_CONTACT}  ${day}\n")
file(GLOB compressed ${doc}/changelog* ${usr}/share/man/man*/*)
execute_process(COMMAND gzip -9n ${compressed} COMMAND_ERROR_IS_FATAL ANY)

# The same source gives the same package.
execute_process(COMMAND find ${CPACK_TEMPORARY_INSTALL_DIRECTORY} -exec touch -h -d ${day} {} + COMMAND_ERROR_IS_FATAL ANY)
