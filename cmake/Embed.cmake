# SPDX-License-Identifier: Apache-2.0
# weir_embed(TARGET SYMBOL FILE...): puts files into the binary as the table `SYMBOL` of struct embedded_file
# (base/embedded.h), in the order given, named by their file names.
# weir_embed_source(OUTPUT SYMBOL FILE...) only writes the assembler source of that table.
function(weir_embed_source output symbol)
  set(data "")
  set(rows "")
  set(index 0)
  foreach(file ${ARGN})
    get_filename_component(name ${file} NAME)
    string(APPEND data "    .balign 16\n${symbol}_${index}_begin:\n    .incbin \"${file}\"\n${symbol}_${index}_end:\n    .byte 0\n")
    string(APPEND rows "    .balign 8\n    .quad ${symbol}_${index}_name\n    .quad ${symbol}_${index}_begin\n    .quad ${symbol}_${index}_end - ${symbol}_${index}_begin\n")
    string(APPEND data "${symbol}_${index}_name:\n    .asciz \"${name}\"\n")
    math(EXPR index "${index} + 1")
  endforeach()
  file(CONFIGURE OUTPUT ${output} CONTENT
"/* generated: see cmake/Embed.cmake */
    .section .rodata
${data}
    .section .data.rel.ro, \"aw\"
    .balign 8
    .globl ${symbol}
${symbol}:
${rows}    .quad 0
    .quad 0
    .quad 0
    .section .note.GNU-stack, \"\", @progbits
" @ONLY)
endfunction()

function(weir_embed target symbol)
  set(output ${CMAKE_BINARY_DIR}/embed/${symbol}.S)
  weir_embed_source(${output} ${symbol} ${ARGN})
  set_source_files_properties(${output} PROPERTIES OBJECT_DEPENDS "${ARGN}")
  target_sources(${target} PRIVATE ${output})
endfunction()
