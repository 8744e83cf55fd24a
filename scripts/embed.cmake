# Makes the bytes of a file an array: cmake -DFROM=file -DTO=header -DNAME=array -P embed.cmake
file(READ "${FROM}" bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "(................................................................................)"
       "\\1\n" bytes "${bytes}")
file(WRITE "${TO}" "static const unsigned char ${NAME}[] = {\n${bytes}\n};\n")
