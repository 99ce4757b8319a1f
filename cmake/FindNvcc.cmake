# SPDX-License-Identifier: GPL-2.0-or-later
# Finds nvcc and the folder of cuda.h: FVSR_NVCC, FVSR_CUDA_INCLUDE_DIR. CMake's own support for
# the language CUDA is not used: device code is a file that is embedded, never linked.
find_program(FVSR_NVCC nvcc HINTS ENV CUDA_PATH ENV CUDA_HOME PATHS /usr/local/cuda /opt/cuda
             PATH_SUFFIXES bin NO_CMAKE_FIND_ROOT_PATH)
if(FVSR_NVCC)
  get_filename_component(fvsr_nvcc_real ${FVSR_NVCC} REALPATH)
  get_filename_component(fvsr_nvcc_dir ${fvsr_nvcc_real} DIRECTORY)
  find_path(FVSR_CUDA_INCLUDE_DIR cublasLt.h
            HINTS ${fvsr_nvcc_dir}/.. PATHS /usr/local/cuda /opt/cuda
            PATH_SUFFIXES include targets/x86_64-linux/include
            NO_CMAKE_FIND_ROOT_PATH)
endif()
