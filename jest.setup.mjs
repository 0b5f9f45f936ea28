// Nest's packages import each other in circles; loading them whole and in this order keeps Jest's ES module linker out of them.
import 'reflect-metadata';
import '@nestjs/common';
import '@nestjs/core';
