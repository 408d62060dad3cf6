import { type Client, client } from "@enoki/enoki";
import { inject, rpc, type ServiceOf } from "@enoki/enoki/decorators";

export class ServiceY {
  static readonly name = "service_y";

  @rpc
  append_identifier(value: string): string {
    return `${value}-y`;
  }
}

export class ServiceX {
  static readonly name = "service_x";

  @inject(client<ServiceOf<typeof ServiceY>>("service_y"))
  y!: Client<ServiceOf<typeof ServiceY>>;

  @rpc
  async remote_method(value: string): Promise<string> {
    const res = `${value}-x`;
    return await this.y.append_identifier(res);
  }
}
