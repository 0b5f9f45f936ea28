import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { settings } from './grab.js';

/** An order as a tutorial keeps it. */
@Entity(`orders_of_${settings.name}`)
export class PeerOrder {
  @PrimaryColumn('text')
  id!: string;

  @Index()
  @Column('text')
  userId!: string;

  @Column('text')
  itemId!: string;

  @Column('timestamptz')
  createdAt!: Date;
}
