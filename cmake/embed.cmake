# Text files that become C strings in the program: mopo_embed(name path) -> extern const char name[].
function(mopo_embed name path)
  set(out ${CMAKE_BINARY_DIR}/embedded/${name}.c)
  add_custom_command(OUTPUT ${out} DEPENDS ${CMAKE_SOURCE_DIR}/${path} ${CMAKE_SOURCE_DIR}/cmake/embed_one.cmake
    COMMAND ${CMAKE_COMMAND} -DNAME=${name} -DIN=${CMAKE_SOURCE_DIR}/${path} -DOUT=${out}
      -P ${CMAKE_SOURCE_DIR}/cmake/embed_one.cmake)
  target_sources(mopo PRIVATE ${out})
endfunction()

file(GLOB assets RELATIVE ${CMAKE_SOURCE_DIR} CONFIGURE_DEPENDS src/env/assets/*.xml)
foreach(asset ${assets})
  get_filename_component(stem ${asset} NAME_WE)
  mopo_embed(asset_${stem} ${asset})
endforeach()
mopo_embed(asset_complete_bash src/cli/shell/complete.bash)
mopo_embed(asset_complete_zsh src/cli/shell/complete.zsh)
mopo_embed(asset_builtin_config configs/demo.yaml)
