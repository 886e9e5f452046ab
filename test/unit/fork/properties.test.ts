/** Every property of an instance is one of its copy. */
import { describe, expect, it } from "vitest";
import type { Original } from "../../../components/fork/original.ts";
import { checkOriginal, copyArgs, differences, imageArgs } from "../../../components/fork/properties.ts";

/** An instance with everything that EC2 can tell of one. */
const whole: Original = {
  instance: {
    InstanceId: "i-0123456789abcdef0",
    InstanceType: "t3.large",
    Architecture: "arm64",
    VirtualizationType: "hvm",
    RootDeviceName: "/dev/xvda",
    RootDeviceType: "ebs",
    EnaSupport: true,
    SriovNetSupport: "simple",
    BootMode: "uefi",
    TpmSupport: "v2.0",
    PlatformDetails: "Linux/UNIX",
    KeyName: "deploy",
    EbsOptimized: true,
    Monitoring: { State: "enabled" },
    SourceDestCheck: false,
    HibernationOptions: { Configured: true },
    EnclaveOptions: { Enabled: true },
    IamInstanceProfile: { Arn: "arn:aws:iam::123456789012:instance-profile/team/shop" },
    SubnetId: "subnet-1",
    Placement: {
      AvailabilityZone: "eu-central-1b",
      GroupName: "near",
      PartitionNumber: 3,
      Tenancy: "dedicated",
      HostId: "h-1",
    },
    MetadataOptions: {
      HttpEndpoint: "enabled",
      HttpTokens: "required",
      HttpPutResponseHopLimit: 2,
      HttpProtocolIpv6: "enabled",
      InstanceMetadataTags: "enabled",
    },
    MaintenanceOptions: { AutoRecovery: "disabled" },
    PrivateDnsNameOptions: {
      HostnameType: "resource-name",
      EnableResourceNameDnsARecord: true,
      EnableResourceNameDnsAAAARecord: true,
    },
    CapacityReservationSpecification: {
      CapacityReservationTarget: { CapacityReservationId: "cr-1" },
    },
    Tags: [
      { Key: "Name", Value: "shop" },
      { Key: "aws:cloudformation:stack-name", Value: "theirs" },
    ],
  },
  network: {
    Groups: [{ GroupId: "sg-1" }, { GroupId: "sg-2" }],
    Ipv6Addresses: [{ Ipv6Address: "2001:db8::1" }, { Ipv6Address: "2001:db8::2" }],
  },
  volumes: [
    {
      device: "/dev/xvda",
      deleteOnTermination: true,
      volume: {
        VolumeId: "vol-1",
        Size: 20,
        VolumeType: "gp3",
        Iops: 4000,
        Throughput: 250,
        Encrypted: true,
      },
    },
    {
      device: "/dev/sdf",
      deleteOnTermination: false,
      volume: {
        VolumeId: "vol-2",
        Size: 40,
        VolumeType: "gp2",
        Iops: 120,
        Tags: [{ Key: "Disk", Value: "data" }],
      },
    },
  ],
  userData: "IyEvYmluL3No",
  disableApiStop: true,
  shutdownBehavior: "terminate",
  cpuCredits: "unlimited",
  image: { ImdsSupport: "v2.0" },
  cpuOptions: { CoreCount: 1, ThreadsPerCore: 1, AmdSevSnp: "enabled", NestedVirtualization: "enabled" },
};
const snapshots = new Map([
  ["vol-1", "snap-1"],
  ["vol-2", "snap-2"],
]);
const own = { image: "ami-1", snapshots, isPublic: false, tags: { "changeover:move": "shop" } };

describe("a copy", () => {
  it("has every property of the original, and is protected", () => {
    expect(copyArgs(whole, own)).toEqual({
      ami: "ami-1",
      instanceType: "t3.large",
      disableApiTermination: true,
      forceDestroy: true,
      disableApiStop: true,
      ebsOptimized: true,
      monitoring: true,
      sourceDestCheck: false,
      hibernation: true,
      enclaveOptions: { enabled: true },
      tags: { Name: "shop", "changeover:move": "shop" },
      instanceInitiatedShutdownBehavior: "terminate",
      userDataBase64: "IyEvYmluL3No",
      creditSpecification: { cpuCredits: "unlimited" },
      keyName: "deploy",
      iamInstanceProfile: "shop",
      subnetId: "subnet-1",
      vpcSecurityGroupIds: ["sg-1", "sg-2"],
      ipv6AddressCount: 2,
      placementGroup: "near",
      placementPartitionNumber: 3,
      tenancy: "dedicated",
      hostId: "h-1",
      metadataOptions: {
        httpEndpoint: "enabled",
        httpTokens: "required",
        httpPutResponseHopLimit: 2,
        httpProtocolIpv6: "enabled",
        instanceMetadataTags: "enabled",
      },
      maintenanceOptions: { autoRecovery: "disabled" },
      privateDnsNameOptions: {
        hostnameType: "resource-name",
        enableResourceNameDnsARecord: true,
        enableResourceNameDnsAaaaRecord: true,
      },
      capacityReservationSpecification: { capacityReservationTarget: { capacityReservationId: "cr-1" } },
      cpuOptions: { coreCount: 1, threadsPerCore: 1, amdSevSnp: "enabled", nestedVirtualization: "enabled" },
      rootBlockDevice: {
        deleteOnTermination: true,
        volumeSize: 20,
        volumeType: "gp3",
        iops: 4000,
        throughput: 250,
        tags: {},
      },
      ebsBlockDevices: [
        {
          deviceName: "/dev/sdf",
          snapshotId: "snap-2",
          deleteOnTermination: false,
          volumeSize: 40,
          volumeType: "gp2",
          tags: { Disk: "data" },
        },
      ],
    });
  });

  it("says nothing of what the original has not", () => {
    const plain: Original = {
      instance: { InstanceType: "t3.micro", RootDeviceName: "/dev/xvda", SubnetId: "subnet-1" },
      network: { Groups: [{ GroupId: "sg-1" }] },
      volumes: [{ device: "/dev/xvda", deleteOnTermination: true, volume: { VolumeId: "vol-1", Size: 8 } }],
      userData: undefined,
      disableApiStop: false,
      shutdownBehavior: "stop",
      cpuCredits: undefined,
      image: undefined,
      cpuOptions: undefined,
    };
    expect(copyArgs(plain, own)).toEqual({
      ami: "ami-1",
      instanceType: "t3.micro",
      disableApiTermination: true,
      forceDestroy: true,
      ebsOptimized: false,
      monitoring: false,
      sourceDestCheck: true,
      hibernation: false,
      tags: { "changeover:move": "shop" },
      subnetId: "subnet-1",
      vpcSecurityGroupIds: ["sg-1"],
      rootBlockDevice: { deleteOnTermination: true, volumeSize: 8, tags: {} },
      ebsBlockDevices: [],
    });
    expect(copyArgs(plain, { ...own, isPublic: true })).toMatchObject({ associatePublicIpAddress: true });
  });

  it("is made of an image of the snapshots, with the original's way to boot", () => {
    expect(imageArgs(whole, snapshots)).toEqual({
      architecture: "arm64",
      virtualizationType: "hvm",
      rootDeviceName: "/dev/xvda",
      enaSupport: true,
      sriovNetSupport: "simple",
      bootMode: "uefi",
      tpmSupport: "v2.0",
      imdsSupport: "v2.0",
      ebsBlockDevices: [
        {
          deviceName: "/dev/xvda",
          snapshotId: "snap-1",
          deleteOnTermination: true,
          volumeSize: 20,
          volumeType: "gp3",
          iops: 4000,
          throughput: 250,
        },
        {
          deviceName: "/dev/sdf",
          snapshotId: "snap-2",
          deleteOnTermination: false,
          volumeSize: 40,
          volumeType: "gp2",
        },
      ],
    });
  });

  it("differs in what is named, and user data is not told", () => {
    const copy: Original = {
      ...whole,
      instance: {
        ...whole.instance,
        Monitoring: { State: "disabled" },
        Tags: [...whole.instance.Tags!, { Key: "changeover:move", Value: "shop" }],
      },
      userData: "c2VjcmV0",
      volumes: whole.volumes.toReversed(),
    };
    expect(differences(whole, whole)).toEqual([]);
    expect(differences(whole, copy)).toEqual([
      "monitoring: true on old, false on the copy",
      expect.stringMatching(/^userDataBase64: "[0-9a-f]{8}" on old, "[0-9a-f]{8}" on the copy$/),
    ]);
  });
});

describe("an instance of which there can be no copy", () => {
  it.each<[string, Partial<Original>, string]>([
    ["on the host's own disk", { volumes: [] }, "its root on an EBS volume"],
    ["on spot", { instance: { ...whole.instance, InstanceLifecycle: "spot" } }, "an on-demand instance"],
    [
      "billed with a licence",
      { instance: { ...whole.instance, PlatformDetails: "Red Hat Enterprise Linux" } },
      "a Linux without a licence",
    ],
    [
      "with several interfaces",
      { instance: { ...whole.instance, NetworkInterfaces: [{}, {}] } },
      "one network interface",
    ],
    [
      "with several addresses",
      {
        instance: {
          ...whole.instance,
          NetworkInterfaces: [{ PrivateIpAddresses: [{ Primary: true }, { Primary: false }] }],
        },
      },
      "one private address",
    ],
    [
      "of an Auto Scaling group",
      { instance: { ...whole.instance, Tags: [{ Key: "aws:autoscaling:groupName", Value: "web" }] } },
      "in no Auto Scaling group",
    ],
    [
      "with a shared volume",
      {
        volumes: [
          {
            device: "/dev/sdf",
            deleteOnTermination: false,
            volume: { VolumeId: "v", MultiAttachEnabled: true },
          },
        ],
      },
      "shares no volume",
    ],
  ])("%s is refused", (_what, more, rule) => {
    const found = checkOriginal({ ...whole, ...more });
    expect(found).toMatchObject([{ rule: expect.stringContaining(rule) as string }]);
    expect(found[0]!.remedy).not.toBe("");
  });

  it("is not one like any other", () => {
    expect(checkOriginal(whole)).toEqual([]);
  });
});
