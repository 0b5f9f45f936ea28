import type { Socket } from 'node:net';
import { Injectable, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Misbehaviour } from './misbehaviour.js';

/** Calls that the shop repeats when it hears nothing; the switches themselves and the health check stay reachable. */
const shopApi = /^\/v1\/(?:payments|book)\b/;
const anyApi = /^\/(?:v1\/(?:payments|book)\b|checkout\/)/;

/** What goes wrong with connections: no answer, or none after the effect. */
@Injectable()
export class ConnectionTrouble implements OnModuleInit, BeforeApplicationShutdown {
  private readonly hanging = new Set<Socket>();

  constructor(private readonly host: HttpAdapterHost, private readonly misbehaviour: Misbehaviour) {
    // Nobody waits for what a provider that is up again had been asked while it was down.
    misbehaviour.onChange(() => this.breakHanging());
  }

  onModuleInit(): void {
    const server = this.host.httpAdapter.getInstance<FastifyInstance>();
    server.addHook('onRequest', (request, reply, done) => {
      if (!anyApi.test(request.url) || this.misbehaviour.settings.down === 'no') return done();
      this.stayAway(request, reply);
    });
    server.addHook('onSend', (request, _reply, payload, done) => {
      if (shopApi.test(request.url) && this.misbehaviour.happens('loseReply')) request.raw.socket.destroy();
      done(null, payload);
    });
  }

  beforeApplicationShutdown(): void {
    this.breakHanging();
  }

  private stayAway(request: FastifyRequest, reply: FastifyReply): void {
    reply.hijack();
    const { socket } = request.raw;
    if (this.misbehaviour.settings.down === 'refuses') return void socket.destroy();
    this.hanging.add(socket);
    socket.once('close', () => this.hanging.delete(socket));
  }

  private breakHanging(): void {
    for (const socket of this.hanging) socket.destroy();
  }
}
