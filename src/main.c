/* Hands argv to the commands. */
#include "app/cmd/cmd.h"

int main(int argc, char **argv)
{
    return sp_cli(argc, argv);
}
