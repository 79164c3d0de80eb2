# Installs the build in FROM into the site-packages folder TO, if the package was installed there before.
if(EXISTS "${TO}/fastaudio")
  execute_process(COMMAND ${CMAKE_COMMAND} --install ${FROM} --prefix ${TO} --config ${CONFIG}
                  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
endif()
